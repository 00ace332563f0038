import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { Millis, Partition } from '@countersign/contracts'
import type { AccountRecord } from '@countersign/contracts/records'
import { accountClaims } from './claims.ts'

/** Links that choose a password. Nothing is stored of them. */
const purposes = ['reset', 'invitation'] as const
export type LinkPurpose = (typeof purposes)[number]

export interface LinkAccount {
  readonly partition: Partition
  readonly record: AccountRecord
}

/** What a link says of itself; nothing of it is proven. */
export interface LinkClaims {
  readonly purpose: LinkPurpose
  readonly partition: Partition
  readonly accountId: string
  readonly expiresAt: Millis
}

const version = 1
/** Version, purpose, partition, expiry in milliseconds (48 bits). */
const headBytes = 9
const tagBytes = 32
/** An id has 22 characters; characters of a token that is looked at. */
const mostCharacters = 256

/** All that shall end a link when it changes: the password, whether the account is disabled, and the address it went to. */
function tagOf(key: KeyObject, body: Uint8Array, record: AccountRecord): Buffer {
  const { passwordHash, passwordChangedAt, disabledAt } = record
  const state = JSON.stringify([passwordHash, passwordChangedAt, disabledAt, accountClaims(record).email ?? ''])
  return createHmac('sha256', key).update('countersign link\0').update(body).update('\0').update(state).digest()
}

interface ReadLink extends LinkClaims {
  readonly body: Buffer
  readonly tag: Buffer
}

function parse(token: string): ReadLink | undefined {
  if (token.length > mostCharacters) return undefined
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.toString('base64url') !== token || bytes.length <= headBytes + tagBytes) return undefined
  const body = bytes.subarray(0, -tagBytes)
  const purpose = purposes[body[1]!]
  if (body[0] !== version || purpose === undefined) return undefined
  const accountId = body.subarray(headBytes).toString('latin1')
  // What is read is used as a key of the store.
  if (!/^[\w-]+$/.test(accountId)) return undefined
  return {
    purpose,
    partition: body[2]!,
    accountId,
    expiresAt: body.readUIntBE(3, 6),
    body,
    tag: bytes.subarray(-tagBytes),
  }
}

/**
 * A token for a link. It is a secret, and good until it expires, or the password, the e-mail address or the account's being
 * enabled changes.
 * @param key of nothing else
 */
export function mintLink(
  key: KeyObject,
  purpose: LinkPurpose,
  { partition, record }: LinkAccount,
  expiresAt: Millis,
): string {
  const head = Buffer.alloc(headBytes)
  head.set([version, purposes.indexOf(purpose), partition])
  head.writeUIntBE(expiresAt, 3, 6)
  const body = Buffer.concat([head, Buffer.from(record.id, 'latin1')])
  return Buffer.concat([body, tagOf(key, body, record)]).toString('base64url')
}

/** What a token says, to find its account by; undefined when it is none. It proves nothing: see {@link isLinkGood}. */
export function readLink(token: string): LinkClaims | undefined {
  const link = parse(token)
  if (!link) return undefined
  const { purpose, partition, accountId, expiresAt } = link
  return { purpose, partition, accountId, expiresAt }
}

/** Whether the token is of this account as it is now, and not expired. A disabled account has no good link. */
export function isLinkGood(key: KeyObject, token: string, { partition, record }: LinkAccount, now: Millis): boolean {
  const link = parse(token)
  if (!link || !timingSafeEqual(link.tag, tagOf(key, link.body, record))) return false
  const isOfAccount = link.partition === partition && link.accountId === record.id
  return isOfAccount && link.expiresAt > now && record.disabledAt === 0
}
