import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { startEmbedded, startStack } from '@countersign/servers'
import type { Credentials } from './application.ts'
import { signUp } from './person.ts'

export const redirectUri = 'http://127.0.0.1:3999/callback'
export const signedOutUri = 'http://127.0.0.1:3999/signed-out'

export type StackName = 'embedded' | 'four processes'

/** Countersign with somebody who has an account, and with applications. */
export interface Setting {
  readonly issuerUrl: string
  /** By client id. */
  readonly credentials: Readonly<Record<'web' | 'keyed' | 'batch' | 'reports-api', Credentials>>
  /** What the back-channel logout URI of `web` was posted, as forms. */
  readonly posted: readonly URLSearchParams[]
  stop(): Promise<void>
}

/** Where an application hears of sign-outs. */
async function startReceiver() {
  const posted: URLSearchParams[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      posted.push(new URLSearchParams(Buffer.concat(chunks).toString()))
      outgoing.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { posted, uri: `http://127.0.0.1:${port}/signed-out`, stop: () => void server.close() }
}

const people = "scopes: [openid, profile, email, offline_access, 'read:reports'], audience: [reports]"
const codes = `redirect_uris: ['${redirectUri}'], ${people}`
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

interface Told {
  webSecret: string
  jwk: object
  logoutUri: string
}

/** Clients of each kind, as lines of the configuration. */
const clientsOf = ({ webSecret, jwk, logoutUri }: Told): string[] => [
  `{ id: web, name: Web shop, secret: ${webSecret}, grants: [authorization_code, refresh_token, '${exchangeGrant}'], ${codes},
     post_logout_redirect_uris: ['${signedOutUri}'], backchannel_logout_uri: ${logoutUri} }`,
  `{ id: keyed, auth_method: private_key_jwt, jwks: ${JSON.stringify({ keys: [jwk] })}, id_token_alg: EdDSA,
     grants: [authorization_code, client_credentials], introspect: [reports], require_pushed_requests: true, ${codes} }`,
  `{ id: phone, public: true, id_token_alg: ES256, grants: [authorization_code, refresh_token], ${codes} }`,
  `{ id: signed, public: true, access_token_format: jwt, grants: [authorization_code, refresh_token], ${codes} }`,
  `{ id: television, public: true, grants: ['${deviceGrant}', refresh_token], ${people} }`,
]

export async function startSetting(stack: StackName, config: string): Promise<Setting> {
  const webSecret = randomBytes(24).toString('base64url')
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256', use: 'sig' }
  const receiver = await startReceiver()
  const options = {
    config: `providers: [ { id: staff, kind: local } ]\n${config}`,
    clients: clientsOf({ webSecret, jwk, logoutUri: receiver.uri }),
  }
  const started = stack === 'embedded' ? await startEmbedded(options) : await startStack({ ...options, gateway: true })
  await signUp(started)
  return {
    issuerUrl: started.issuerUrl,
    credentials: {
      web: { secret: webSecret },
      keyed: { key: { privateKey, id: 'first' } },
      batch: { secret: started.secrets.batch },
      'reports-api': { secret: started.secrets['reports-api'] },
    },
    posted: receiver.posted,
    async stop() {
      receiver.stop()
      await started.stop()
    },
  }
}
