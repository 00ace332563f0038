import type { Partition } from '@countersign/contracts'
import { limits } from './limits.ts'

/** Names something in the store for a browser to carry: base64url of its partition and 128 random bits. */
export const handleOf = (partition: Partition, random: Uint8Array): string =>
  Buffer.from([partition, ...random.subarray(0, limits.handleBytes)]).toString('base64url')

/** Characters of a handle. */
export const handleCharacters = 23

/** The partition that a handle names; undefined for what is no handle. */
export function partitionOfHandle(handle: string, partitions: number): Partition | undefined {
  if (handle.length !== handleCharacters || !/^[A-Za-z0-9_-]+$/.test(handle)) return undefined
  const partition = Buffer.from(handle, 'base64url')[0]!
  return partition < partitions ? partition : undefined
}
