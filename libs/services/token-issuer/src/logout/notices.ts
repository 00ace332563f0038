import type { Partition } from '@countersign/contracts'
import { LogoutNoticeRecord } from '@countersign/contracts/records'
import { keyOf, type Key, type Listing, type Put } from '@countersign/store'

/** Applications that have yet to be told of a sign-out (OpenID Connect Back-Channel Logout 1.0). */
export const logoutNotices = (partition: Partition): Listing => keyOf(partition, 'logout-notices')

export const noticeKey = (partition: Partition, id: string): Key => keyOf(partition, `logout-notice/${id}`)

export const noticePut = (partition: Partition, record: LogoutNoticeRecord): Put => ({
  key: noticeKey(partition, record.id),
  value: LogoutNoticeRecord.encode(record).finish(),
  expiresAt: record.expiresAt,
  listedIn: [logoutNotices(partition)],
})
