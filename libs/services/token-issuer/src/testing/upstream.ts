import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How an upstream answers: as it should, or not. */
export type Behaviour = (response: ServerResponse) => void

const path = '/realms/partner'

/** An OpenID provider of somebody else, on loopback: its discovery document, its keys, and tokens as Keycloak makes them. */
export class Upstream {
  readonly requests: string[] = []
  discovery: Behaviour | undefined
  certificates: Behaviour | undefined
  /** What the discovery document says of itself. */
  told: Record<string, unknown> = {}
  issuer = ''
  readonly keys = new Map<string, { alg: string; privateKey: CryptoKey; jwk: JWK }>()
  readonly #server: Server

  constructor() {
    this.#server = createServer(({ url = '' }, response) => {
      this.requests.push(url)
      if (url === `${path}/.well-known/openid-configuration`) {
        return (this.discovery ?? json({ issuer: this.issuer, jwks_uri: `${this.issuer}/certs`, ...this.told }))(
          response,
        )
      }
      if (url === `${path}/certs`) return (this.certificates ?? json({ keys: this.#published() }))(response)
      response.writeHead(404).end()
    })
  }

  async start(): Promise<this> {
    await this.addKey('k1', 'RS256')
    await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening))
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((closed) => this.#server.close(closed))
  }

  async addKey(kid: string, alg: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg)
    this.keys.set(kid, { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } })
  }

  #published(): JWK[] {
    const encryption = { ...this.keys.get('k1')!.jwk, kid: 'enc', alg: 'RSA-OAEP', use: 'enc' }
    return [encryption, ...[...this.keys.values()].map(({ jwk }) => jwk)]
  }

  /** An access token as Keycloak makes it, at a time in milliseconds; undefined takes a claim away. */
  claims(now: number, over: Record<string, unknown> = {}): Record<string, unknown> {
    const seconds = Math.floor(now / 1_000)
    const claims = {
      exp: seconds + 300,
      iat: seconds,
      auth_time: seconds,
      jti: '4ab0b1b4-5ab1-4d43-8b7e-2e2a6e6f1a01',
      iss: this.issuer,
      aud: 'account',
      sub: 'f2a3c1de-93f4-4a56-8c07-0c8ab0f0f6a1',
      typ: 'Bearer',
      azp: 'my-app',
      sid: '9c1e',
      acr: '1',
      realm_access: { roles: ['offline_access', 'default-roles-partner'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
      scope: 'openid email profile',
      email_verified: true,
      name: 'Alice Example',
      preferred_username: 'alice',
      email: 'alice@partner.example',
      ...over,
    }
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  }

  token(now: number, over: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    return this.sign(JSON.stringify(this.claims(now, over)), header)
  }

  async sign(payload: string, header: Record<string, unknown> = {}): Promise<string> {
    const { kid = 'k1' } = header as { kid?: string }
    const { alg, privateKey } = this.keys.get(kid) ?? this.keys.get('k1')!
    const named = { alg, typ: 'JWT', kid, ...header }
    return new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(named).sign(privateKey)
  }
}

export const json =
  (document: unknown): Behaviour =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
