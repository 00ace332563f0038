import addressparser from 'nodemailer/lib/addressparser'
import { limits } from './limits.ts'

const address = /^[^\s@<>()[\]\\,;:"\p{C}]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}.-]*[\p{L}\p{N}])?$/u

/** Whether it is one address that mail can be sent to: nothing that a header or a list of addresses would read otherwise. */
export const isMailAddress = (given: string): boolean =>
  given.length <= limits.addressCharacters && given.isWellFormed() && address.test(given)

/** An address with or without a name before it; undefined when it is none, or several. */
export function readMailbox(written: string): { name: string; address: string } | undefined {
  if (/\p{C}/u.test(written)) return undefined
  const [mailbox, ...more] = addressparser(written, { flatten: true })
  if (!mailbox?.address || more.length > 0 || !isMailAddress(mailbox.address)) return undefined
  return { name: mailbox.name, address: mailbox.address }
}
