import { Failure } from '@countersign/contracts'
import type { Credentials } from './http-call.ts'
import { readSecret } from './secret-input.ts'
import type { Surroundings } from './surroundings.ts'

/** Options of every command that asks as a client. */
export interface ClientOptions {
  readonly clientId?: string
  readonly clientSecretFile?: string
  readonly issuer?: string
  readonly config?: string
  readonly allowPlaintext?: true
  readonly json?: true
}

const defaultIssuer = 'http://localhost:8080'

/**
 * Where the server is: what `--issuer` says, else COUNTERSIGN_ISSUER, else the configuration that is named.
 * @throws Failure `invalid_request`, also where secrets would leave this machine unencrypted; ConfigError
 */
export async function findIssuer(options: ClientOptions, surroundings: Surroundings): Promise<URL> {
  const given = options.issuer ?? surroundings.env.COUNTERSIGN_ISSUER
  if (given !== undefined) return baseUrl(given, '--issuer', options.allowPlaintext === true)
  if (options.config === undefined && surroundings.env.COUNTERSIGN_CONFIG === undefined) return new URL(defaultIssuer)
  const { readConfig } = await import('./config/read.ts')
  const { config } = readConfig(options.config, surroundings)
  return baseUrl(config.issuer, 'issuer', options.allowPlaintext === true || config.allowPlaintext)
}

/** @throws Failure `invalid_request` */
export function baseUrl(given: string, name: string, allowPlaintext: boolean): URL {
  const url = URL.parse(given)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new Failure(
      'invalid_request',
      `${name} must be a URL such as https://auth.example, without query and credentials`,
    )
  }
  if (url.protocol === 'http:' && !allowPlaintext && !loopback.test(url.hostname)) {
    throw new Failure(
      'invalid_request',
      `${name}: secrets would go to ${url.host} without TLS; use https://, or --allow-plaintext on a network that nobody else is on`,
    )
  }
  return url
}

/** This machine, as a URL names it: addresses are in their one canonical form there. */
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** The URL of a path under the issuer, which may have a path itself. */
export const urlAt = (base: URL, path: string, query: Readonly<Record<string, string | undefined>> = {}): URL => {
  const url = new URL(base.href.replace(/\/+$/, '') + path)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}

/** Who asks. @throws Failure `invalid_request` when id or secret are missing */
export async function readCredentials(options: ClientOptions, surroundings: Surroundings): Promise<Credentials> {
  const id = options.clientId ?? surroundings.env.COUNTERSIGN_CLIENT_ID
  if (id === undefined || id === '')
    throw new Failure('invalid_request', 'give --client-id ID, or set COUNTERSIGN_CLIENT_ID')
  const secret = await readSecret(
    {
      what: 'the client secret',
      file: options.clientSecretFile,
      fileOption: '--client-secret-file',
      variable: 'COUNTERSIGN_CLIENT_SECRET',
      stdin: false,
    },
    surroundings,
  )
  return { id, secret }
}

/** The token that a command is about. @throws Failure `invalid_request` */
export const readToken = (options: { tokenFile?: string }, surroundings: Surroundings): Promise<string> =>
  readSecret(
    {
      what: 'the token',
      file: options.tokenFile,
      fileOption: '--token-file',
      variable: 'COUNTERSIGN_TOKEN',
      stdin: true,
    },
    surroundings,
  )
