import type { Partition } from '@countersign/contracts'
import { keyOf, type Key, type Listing } from '@countersign/store'

export const accountKey = (partition: Partition, id: string): Key => keyOf(partition, `account/${id}`)

/** Every account of a partition, by id; also, for a day, what is left of those that were deleted. */
export const accountListing = (partition: Partition): Listing => keyOf(partition, 'accounts')

/** Names and identities are taken in one place, whatever partition their account is in. */
export const indexPartition: Partition = 0

export interface AccountPlace {
  readonly id: string
  readonly partition: Partition
}

/** Random bytes that a new account takes: its id, and where it shall be. */
export const accountRandomBytes = 20
const idBytes = 16

/** 22 random base64url characters, and a partition that is kept for as long as the account is. */
export function newAccountPlace(random: Uint8Array, partitions: number): AccountPlace {
  const bytes = Buffer.from(random)
  return {
    id: bytes.subarray(0, idBytes).toString('base64url'),
    partition: bytes.readUInt32BE(idBytes) % partitions,
  }
}
