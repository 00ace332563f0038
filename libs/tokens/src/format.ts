import { createHmac, hash, hkdfSync, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { Partition } from '@countersign/contracts'
import { TokenKind } from '@countersign/contracts/records'
import { base62Length, decodeBase62, encodeBase62 } from './base62.ts'

const partitionBytes = 1
const secretBytes = 32
const tagBytes = 6
const bodyBytes = partitionBytes + secretBytes
const tokenBytes = bodyBytes + tagBytes

/** Random bytes that a new token takes. */
export const tokenSecretBytes = secretBytes

/** What a token begins with tells its kind. */
const prefixes = {
  [TokenKind.ACCESS_TOKEN]: 'cs_at_',
  [TokenKind.REFRESH_TOKEN]: 'cs_rt_',
  [TokenKind.AUTHORIZATION_CODE]: 'cs_ac_',
  [TokenKind.DEVICE_CODE]: 'cs_dc_',
  [TokenKind.API_TOKEN]: 'cs_pat_',
  [TokenKind.REGISTRATION]: 'cs_reg_',
} as const

export type OpaqueKind = keyof typeof prefixes

const kindsByPrefix = new Map(Object.entries(prefixes).map(([kind, prefix]) => [prefix, Number(kind) as OpaqueKind]))
const encodedLength = base62Length(tokenBytes)

/** One regular expression for secret scanners; everything that matches has the form of a token. */
export const tokenPattern = new RegExp(`\\bcs_(?:at|rt|ac|dc|pat|reg)_[0-9A-Za-z]{${encodedLength}}\\b`)

/** What can be told from a token without the store. */
export interface ParsedToken {
  kind: OpaqueKind
  partition: Partition
  /** base64url SHA-256 of the token: all that the store, the bus, the logs and the journal ever hold of it. */
  digest: string
  /** What its record is kept under: the digest, but for a refresh token that of the half that its family shares. */
  recordDigest: string
  /** Of a refresh token: the half of its secret that its family shares. */
  family: Uint8Array | undefined
}

export const digestOf = (token: string): string => hash('sha256', token, 'base64url')

/** Names a token in events and answers; too short to look anything up with. */
export const fingerprintOf = (digest: string): string => digest.slice(0, 22)

/** The key under which tokens are tagged, from a master key of at least 32 bytes. */
export const tagKeyFrom = (masterKey: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', 'countersign token tag v1', 32)))

function tagOf(key: KeyObject, prefix: string, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(prefix).update(body).digest().subarray(0, tagBytes)
}

/** Bytes of a refresh token's secret that its whole family shares; the other half is its own. */
export const familyBytes = secretBytes / 2

/** What a family's one record is kept under. */
export const familyDigestOf = (family: Uint8Array): string => hash('sha256', family, 'base64url')

export interface TokenFormat {
  /** @param secret 32 random bytes; of a refresh token, the first 16 are its family's */
  mint(kind: OpaqueKind, partition: Partition, secret: Uint8Array): { token: string; digest: string }
  /** Mints what would have been minted under the previous key. Undefined where there is none. */
  readonly before: Minting | undefined
  /** Undefined for whatever was not minted under one of the keys: that is refused without touching the store. */
  parse(token: string): ParsedToken | undefined
}

export type Minting = Pick<TokenFormat, 'mint'>

/** Opaque tokens: prefix, then base62 of partition (1 byte), 256 random bits, and a 48-bit HMAC-SHA256 tag. */
export function createTokenFormat(currentKey: KeyObject, previousKey?: KeyObject): TokenFormat {
  const keys = previousKey ? [currentKey, previousKey] : [currentKey]
  const bytes = new Uint8Array(tokenBytes)
  const body = bytes.subarray(0, bodyBytes)
  const tag = bytes.subarray(bodyBytes)

  const mintingUnder = (key: KeyObject): Minting => ({
    mint(kind, partition, secret) {
      if (secret.length !== secretBytes) throw new RangeError(`a token takes ${secretBytes} random bytes`)
      const prefix = prefixes[kind]
      bytes[0] = partition
      bytes.set(secret, partitionBytes)
      bytes.set(tagOf(key, prefix, body), bodyBytes)
      const token = prefix + encodeBase62(bytes)
      return { token, digest: digestOf(token) }
    },
  })

  return {
    ...mintingUnder(currentKey),
    before: previousKey && mintingUnder(previousKey),

    parse(token) {
      const start = token.length - encodedLength
      const prefix = token.slice(0, Math.max(0, start))
      const kind = kindsByPrefix.get(prefix as (typeof prefixes)[OpaqueKind])
      if (kind === undefined || !decodeBase62(token, start, bytes)) return undefined
      if (!keys.some((key) => timingSafeEqual(tagOf(key, prefix, body), tag))) return undefined
      const digest = digestOf(token)
      if (kind !== TokenKind.REFRESH_TOKEN) {
        return { kind, partition: bytes[0]!, digest, recordDigest: digest, family: undefined }
      }
      const family = bytes.slice(partitionBytes, partitionBytes + familyBytes)
      return { kind, partition: bytes[0]!, digest, recordDigest: familyDigestOf(family), family }
    },
  }
}
