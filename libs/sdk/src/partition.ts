import type { Partition } from '@countersign/contracts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** The first 5 bytes of an opaque token are 7 characters; the first byte is its partition. */
const opaque = /^cs_[a-z]{2,3}_([0-9A-Za-z]{7})[0-9A-Za-z]{48}$/

/** The partition that an opaque token says it is of; undefined for any other. The answer about it has the last word. */
export function partitionTold(token: string): Partition | undefined {
  const start = opaque.exec(token)?.[1]
  if (start === undefined) return undefined
  let number = 0
  for (const character of start) number = number * alphabet.length + alphabet.indexOf(character)
  const partition = Math.floor(number / 256 ** 4)
  return partition < 256 ? partition : undefined
}
