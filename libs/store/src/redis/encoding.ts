/**
 * An entry in Redis, read by the scripts too: 16 bytes of version; one byte, how many listings hold it, and for each a
 * byte of length and its name; the same of what it links to; then the value. Names are without their partition.
 */
import type { Partition } from '@countersign/contracts'
import type { CommitId, Entry, Key, Listing, Put } from '../port.ts'
import { partitionOf } from '../port.ts'

const versionBytes = 16

/** What every key of a partition begins with; the braces make it one slot of a cluster. */
export const prefixOf = (partition: Partition): string => `cs{${partition}}:`

export const nameOf = (key: Key): string => key.slice(key.indexOf(':') + 1)

export const redisKeyOf = (key: Key): string => prefixOf(partitionOf(key)) + nameOf(key)

export const redisListingOf = (listing: Listing): string => `${prefixOf(partitionOf(listing))}.l/${nameOf(listing)}`

export function encodeEntry({ value, listedIn = [], links = [] }: Put, version: CommitId): Buffer {
  const listings = [...new Set(listedIn)].map(nameOf)
  const linked = links.map(nameOf)
  const size = [...listings, ...linked].reduce((sum, name) => sum + 1 + name.length, versionBytes + 2)
  const bytes = Buffer.allocUnsafe(size + value.length)
  bytes.write(version, 'hex')
  let at = writeNames(bytes, listings, versionBytes)
  at = writeNames(bytes, linked, at)
  bytes.set(value, at)
  return bytes
}

function writeNames(bytes: Buffer, names: string[], start: number): number {
  let at = bytes.writeUInt8(names.length, start)
  for (const name of names) {
    at = bytes.writeUInt8(name.length, at)
    at += bytes.write(name, at, 'latin1')
  }
  return at
}

const afterNames = (bytes: Buffer, start: number): number => {
  let at = start + 1
  for (let left = bytes[start]!; left > 0; left--) at += 1 + bytes[at]!
  return at
}

/** An entry's value is a view of `bytes`. */
export function decodeEntry(key: Key, bytes: Buffer): Entry {
  const at = afterNames(bytes, afterNames(bytes, versionBytes))
  return { key, version: bytes.toString('hex', 0, versionBytes), value: bytes.subarray(at) }
}

/** The keys that an entry of a partition links to. */
export function linksOf(bytes: Buffer, partition: Partition): Key[] {
  let at = afterNames(bytes, versionBytes)
  const links: Key[] = []
  for (let left = bytes[at++]!; left > 0; left--) {
    const end = at + 1 + bytes[at]!
    links.push(`${partition}:${bytes.toString('latin1', at + 1, end)}`)
    at = end
  }
  return links
}
