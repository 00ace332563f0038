import { remoteRequest, type RemoteBounds } from '@countersign/chassis'
import { limits } from '../limits.ts'

/** Posts a form; a redirect is an answer as any other. @throws when there is no answer within its bounds, or it may not go there */
export type NoticePost = (url: string, form: Readonly<Record<string, string>>) => Promise<{ status: number }>

/** Posts to whoever may be reached, as Back-Channel Logout 1.0 section 2.5 has it. */
export const createNoticePost =
  (reach: Pick<RemoteBounds, 'allowLoopback' | 'allowPrivate' | 'ca'>): NoticePost =>
  (url, form) =>
    remoteRequest({
      ...reach,
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'cache-control': 'no-store' },
      body: new URLSearchParams(form).toString(),
      timeoutMs: limits.notice.timeoutMs,
      maxBytes: limits.notice.answerBytes,
    })
