import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface OpenIdProviderSettings {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: readonly string[]
  /** Where it may send people who signed out there. */
  readonly returnUris?: readonly string[]
  /** Of everybody, over `email` and `email_verified`. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Of the issuer, where it is not at the root. */
  readonly path?: string
}

export interface OpenIdProviderProcess {
  readonly issuer: string
  stop(): Promise<void>
}

/** A provider that is not ours, the npm package oidc-provider, as a process of its own on loopback. */
export async function startOpenIdProvider(settings: OpenIdProviderSettings): Promise<OpenIdProviderProcess> {
  const program = fileURLToPath(new URL('openid-provider.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })
  const died = once(child, 'exit').then(() => {
    throw new Error('the provider did not start')
  })
  const [issuer] = (await Promise.race([once(lines, 'line'), died])) as [string]
  died.catch(() => undefined)
  return {
    issuer,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}
