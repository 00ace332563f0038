import { constants, createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

export type Header = Readonly<Record<string, unknown>>

interface Pair {
  readonly alg: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const makers: Readonly<Record<string, () => { privateKey: KeyObject; publicKey: KeyObject }>> = {
  R: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  P: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  E: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A provider's keys, with node:crypto alone: what is made here is right, or wrong, whatever our own libraries think. */
export class SigningKeys {
  readonly pairs = new Map<string, Pair>()

  constructor() {
    this.add('k1', 'ES256')
  }

  add(kid: string, alg: string): void {
    const make = alg === 'EdDSA' ? () => generateKeyPairSync('ed25519') : makers[alg[0]!]!
    this.pairs.set(kid, { alg, ...make() })
  }

  published(): { keys: object[] } {
    const keys = [...this.pairs].map(([kid, { alg, publicKey }]) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg,
      use: 'sig',
    }))
    return { keys }
  }

  /** Signed by the key that `kid` names among ours, or else by the first, whatever the header says. */
  sign(claims: object, header: Header = {}): string {
    const kid = typeof header.kid === 'string' ? header.kid : 'k1'
    const pair = this.pairs.get(kid) ?? this.pairs.get('k1')!
    const input = `${encoded({ alg: pair.alg, typ: 'JWT', kid, ...header })}.${encoded(claims)}`
    return `${input}.${signature(pair, input).toString('base64url')}`
  }

  /** An HMAC under the public key: what a verifier takes that lets the header choose (RFC 8725 section 2.1). */
  confused(claims: object): string {
    const { publicKey } = this.pairs.get('k1')!
    const input = `${encoded({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${encoded(claims)}`
    const secret = publicKey.export({ type: 'spki', format: 'pem' })
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }

  /** RFC 7519 section 6. */
  unsecured(claims: object): string {
    return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`
  }
}

function signature({ alg, privateKey: key }: Pair, input: string): Buffer {
  const data = Buffer.from(input)
  if (alg === 'EdDSA') return sign(null, data, key)
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' })
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  return sign(hash, data, alg.startsWith('PS') ? { key, padding, saltLength } : key)
}
