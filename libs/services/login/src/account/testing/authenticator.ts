import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

interface Asked {
  challenge: string
  rp?: { id: string }
  rpId?: string
  user?: { id: string }
}

export interface Twist {
  origin?: string
  rpId?: string
  /** User present and verified, unless it says else (WebAuthn Level 3 section 6.1). */
  flags?: number
  counter?: number
  transports?: string[]
  /** Instead of none: a format, and its statement about the hash of the client data and the key of the passkey. */
  attestation?: { format: string; statement: (clientDataHash: Buffer, key: KeyObject) => ReadonlyMap<string, unknown> }
}

const present = 0x01
const verified = 0x04
const attested = 0x40

/** A device that makes passkeys and signs in with them, as JSON that a browser would send. */
export class Authenticator {
  readonly #privateKey: KeyObject
  readonly #key: Uint8Array
  readonly #origin: string
  readonly id = randomBytes(32)
  #userHandle = ''

  constructor(origin: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    const point = [x!, y!].map((each) => new Uint8Array(Buffer.from(each, 'base64url')))
    // RFC 9053 sections 2.1 and 7.1.1: EC2, ES256, P-256.
    const fields = [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, point[0]!],
      [-3, point[1]!],
    ] as const
    this.#key = isoCBOR.encode(new Map<number, number | Uint8Array>(fields))
    this.#privateKey = privateKey
    this.#origin = origin
  }

  create(options: string, twist: Twist = {}): string {
    const { challenge, rp, user } = JSON.parse(options) as Asked
    this.#userHandle = user!.id
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.id.length)
    const credential = Buffer.concat([Buffer.alloc(16), length, this.id, this.#key])
    const head = this.#head(rp!.id, twist, attested)
    const authData = new Uint8Array(Buffer.concat([head, credential]))
    const clientDataJSON = this.#clientData('webauthn.create', challenge, twist)
    const clientDataHash = sha256(Buffer.from(clientDataJSON, 'base64url'))
    const { format = 'none', statement } = twist.attestation ?? {}
    const attestation = new Map<string, unknown>([
      ['fmt', format],
      ['attStmt', statement?.(clientDataHash, this.#privateKey) ?? new Map()],
      ['authData', authData],
    ])
    return this.#answer({
      clientDataJSON,
      attestationObject: text(isoCBOR.encode(attestation as never)),
      transports: twist.transports ?? ['internal'],
    })
  }

  get(options: string, twist: Twist = {}): string {
    const { challenge, rpId } = JSON.parse(options) as Asked
    const clientDataJSON = this.#clientData('webauthn.get', challenge, twist)
    const authenticatorData = this.#head(rpId!, twist)
    const signed = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, 'base64url'))])
    const signature = text(sign('sha256', signed, this.#privateKey))
    const data = { clientDataJSON, authenticatorData: text(authenticatorData), signature }
    return this.#answer({ ...data, userHandle: this.#userHandle })
  }

  #head(rpId: string, twist: Twist, more = 0): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(twist.counter ?? 0)
    return Buffer.concat([sha256(twist.rpId ?? rpId), Buffer.of((twist.flags ?? present | verified) | more), counter])
  }

  #clientData(type: string, challenge: string, { origin = this.#origin }: Twist): string {
    return text(Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })))
  }

  #answer(response: object): string {
    const id = text(this.id)
    return JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response })
  }
}
