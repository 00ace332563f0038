import { hash, randomUUID } from 'node:crypto'
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose'
import { ask, basic, type Reply } from '@countersign/servers'
import type { Setting } from './setting.ts'

export const seconds = (): number => Math.floor(Date.now() / 1_000)
export const part = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** What is put in the place of what would be right; undefined takes it away. */
export interface Made {
  header?: object
  claims?: object
}

/** A key, and what is signed with it. */
export class Key {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
  readonly privateJwk: JWK
  readonly jkt: string

  constructor(privateKey: CryptoKey, jwk: JWK, privateJwk: JWK, jkt: string) {
    this.privateKey = privateKey
    this.jwk = jwk
    this.privateJwk = privateJwk
    this.jkt = jkt
  }

  static async make(): Promise<Key> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    return new Key(privateKey, jwk, await exportJWK(privateKey), await calculateJwkThumbprint(jwk))
  }

  sign = (header: object, claims: object): Promise<string> =>
    new SignJWT(claims as JWTPayload).setProtectedHeader({ alg: 'ES256', ...header }).sign(this.privateKey)

  /** A DPoP proof (RFC 9449 section 4.2). */
  proof = (setting: Setting, path: string, { header, claims }: Made = {}, method = 'POST'): Promise<string> =>
    this.sign(
      { typ: 'dpop+jwt', jwk: this.jwk, ...header },
      { jti: randomUUID(), htm: method, htu: setting.at.issuerUrl + path, iat: seconds(), ...claims },
    )

  /** A client's assertion (RFC 7523 section 3). */
  assertion = (setting: Setting, client: string, { header, claims }: Made = {}): Promise<string> =>
    this.sign(header ?? {}, {
      ...{ iss: client, sub: client, aud: setting.at.issuerUrl, jti: randomUUID() },
      ...{ iat: seconds(), exp: seconds() + 60, ...claims },
    })
}

export const ath = (token: string): string => hash('sha256', token, 'base64url')

export interface Sending {
  /** Authenticates with the secret; left out: it just names itself. */
  readonly secret?: string
  readonly dpop?: string | undefined
  readonly path?: string
}

/** A client's form, with a DPoP proof where there is one. */
export const send = (
  setting: Setting,
  client: string | undefined,
  form: Record<string, string>,
  { secret, dpop, path = '/oauth2/token' }: Sending = {},
): Promise<Reply> =>
  ask(setting.at.issuerUrl + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client !== undefined && secret !== undefined && { authorization: basic(client, secret) }),
      ...(dpop !== undefined && { dpop }),
    },
    body: new URLSearchParams({
      ...(client !== undefined && secret === undefined && { client_id: client }),
      ...form,
    }).toString(),
  })

/** Who is asked for claims with an access token. */
export const userinfo = (setting: Setting, authorization: string, dpop?: string): Promise<Reply> =>
  setting.send('/oauth2/userinfo', { headers: { authorization, ...(dpop !== undefined && { dpop }) } })
