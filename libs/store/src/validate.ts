import { encodeEvent, factKinds, Failure, type Fact, type Partition } from '@countersign/contracts'
import {
  maxCommitBytes,
  maxCommitItems,
  maxEventBytes,
  maxFactIdBytes,
  maxGetKeys,
  maxLinks,
  maxListings,
  maxNameBytes,
  maxOutboxEntries,
  maxPageEntries,
  maxPartitions,
  maxValueBytes,
} from './limits.ts'
import type { Bytes, Commit, Key, Put } from './port.ts'

/** A commit that keeps every rule of the port and every limit, with its events encoded. */
export interface PreparedCommit extends Commit {
  encodedEvents: Bytes[]
}

const keySyntax = /^(\d|[1-5]\d|6[0-3]):[!-~]+$/
const commitIdSyntax = /^[0-9a-f]{32}$/
const longestKey = '63:'.length + maxNameBytes

/** Throws unless `holds`; `what` names the part of the commit and the rule it broke, never a value. */
function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Failure('invalid_request', `the commit is malformed: ${what}`)
}

/** `<partition>:<name>`: the name visible ASCII, within its limit, and not starting with a dot (those are the store's own). */
const isKey = (key: string): boolean => {
  if (key.length > longestKey || !keySyntax.test(key)) return false
  const colon = key.charCodeAt(1) === 0x3a ? 1 : 2
  return key.length - colon - 1 <= maxNameBytes && key.charCodeAt(colon + 1) !== 0x2e
}

/** @throws Failure `invalid_request` unless it is a key (or the name of a listing). */
export function checkKey(key: Key): void {
  if (!isKey(key)) throw new Failure('invalid_request', 'not a key of the store')
}

/** @throws Failure `invalid_request` */
export function checkKeys(keys: Key[]): void {
  if (keys.length > maxGetKeys) throw new Failure('invalid_request', `at most ${maxGetKeys} keys at once`)
  for (const key of keys) checkKey(key)
}

/** @throws Failure `invalid_request` */
export function checkPartition(partition: Partition): void {
  if (!Number.isInteger(partition) || partition < 0 || partition >= maxPartitions)
    throw new Failure('invalid_request', `a partition is a number from 0 to ${maxPartitions - 1}`)
}

function checkCount(count: number, most: number, what: string): void {
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new Failure('invalid_request', `${what} must be from 1 to ${most}`)
}

/** @throws Failure `invalid_request` */
export const checkPageLimit = (limit: number): void => checkCount(limit, maxPageEntries, 'the limit of a page')
/** @throws Failure `invalid_request` */
export const checkOutboxLimit = (limit: number): void =>
  checkCount(limit, maxOutboxEntries, 'the limit of an outbox read')

/**
 * Checks a commit against the port's rules and the limits, before anything of it is written.
 * @throws Failure `invalid_request` that names the part and the rule.
 */
export function prepareCommit(commit: Commit): PreparedCommit {
  checkPartition(commit.partition)
  must(commitIdSyntax.test(commit.id), 'id is not 32 lower-case hex digits')
  const { checks, puts, deletes, events, facts } = commit
  for (const [what, items] of Object.entries({ checks, puts, deletes, events, facts }))
    must(items.length <= maxCommitItems, `more than ${maxCommitItems} ${what}`)
  const isHere = keysOf(commit.partition)
  for (const { key, version } of checks) {
    must(isHere(key), 'a check is of another partition or no key')
    must(version === null || commitIdSyntax.test(version), 'the version of a check is no commit id')
  }
  for (const put of puts) checkPut(put, isHere)
  for (const key of deletes) must(isHere(key), 'a delete is of another partition or no key')
  const written = new Set(deletes)
  for (const { key } of puts) written.add(key)
  must(written.size === puts.length + deletes.length, 'a key is put or deleted twice')
  for (const fact of facts) checkFact(fact)
  const encodedEvents = encodeEvents(commit)
  const bytes = (total: number, part: Bytes) => total + part.length
  const size = puts.map((put) => put.value).reduce(bytes, 0) + encodedEvents.reduce(bytes, 0)
  must(size <= maxCommitBytes, `more than ${maxCommitBytes} bytes`)
  return { ...commit, encodedEvents }
}

function keysOf(partition: Partition): (key: Key) => boolean {
  const prefix = `${partition}:`
  return (key) => key.startsWith(prefix) && isKey(key)
}

function checkPut(put: Put, isHere: (key: Key) => boolean): void {
  const { key, value, expiresAt, listedIn = [], links = [] } = put
  must(isHere(key), 'a put is of another partition or no key')
  must(value.length <= maxValueBytes, `a value of more than ${maxValueBytes} bytes`)
  must(
    expiresAt === undefined || (Number.isSafeInteger(expiresAt) && expiresAt > 0),
    'expiresAt is not whole milliseconds since 1970',
  )
  must(links.length <= maxLinks, `more than ${maxLinks} links`)
  must(links.every(isHere), 'a link is of another partition or no key')
  must(listedIn.length <= maxListings, `more than ${maxListings} listings`)
  must(listedIn.every(isHere), 'a listing is of another partition or has no name')
}

function checkFact({ kind, id }: Fact): void {
  must(factKinds.includes(kind), 'a fact of an unknown kind')
  const fits = id !== '' && id.isWellFormed() && Buffer.byteLength(id) <= maxFactIdBytes
  must(fits, `the id of a fact is not 1 to ${maxFactIdBytes} bytes of text`)
}

function encodeEvents({ id, partition, events }: Commit): Bytes[] {
  return events.map((event, n) => {
    must(event.id === `${id}:${n}`, 'the id of an event is not <commit id>:<n>')
    must(event.partition === partition, 'an event is of another partition')
    const bytes = encodeEvent(event)
    must(bytes.length <= maxEventBytes, `an event of more than ${maxEventBytes} bytes`)
    return bytes
  })
}
