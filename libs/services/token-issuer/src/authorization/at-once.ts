import type { HttpRequest } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import type { Answer } from '@countersign/contracts/authorization'
import type { AuthorizationRecord } from '@countersign/contracts/records'
import type { Store } from '@countersign/store'
import { beginCommit, type Client, type Deciding, type NamedSession } from '@countersign/tokens'
import { decideAndCommit } from '../decide.ts'
import { personAsker } from './desk.ts'
import type { RequestDesk } from './request-desk.ts'
import { browserOf, touchSession } from './state.ts'

/** The answer to an authorization request that needs no page. Undefined where it needs one. */
export type AnswerAtOnce = (
  record: AuthorizationRecord,
  client: Client,
  session: NamedSession | undefined,
  http: HttpRequest,
) => Promise<Answer | undefined>

export interface AnswerAtOnceOptions {
  store: Store
  partitions: number
  desk: RequestDesk
  now: () => Millis
  commitId: () => string
}

/** Spares a browser whose person is signed in, and has agreed, the way to sign-in and back. */
export function createAnswerAtOnce(options: AnswerAtOnceOptions): AnswerAtOnce {
  const { store, desk, now, commitId } = options
  return async (record, client, session, { address, userAgent, traceparent }) => {
    const browser = await browserOf(session, options)
    const asker = personAsker({ address, userAgent, traceparent }, browser?.session.record.subject ?? '')
    let answer: Answer | undefined
    await decideAndCommit(store, async () => {
      const by: Deciding = { commitId: commitId(), asker, now: now() }
      const commit = beginCommit(by, browser?.partition ?? 0)
      answer = await desk.answerAtOnce(record, client, browser, by, commit)
      return answer && commit.puts.length > 0 ? { commit } : undefined
    })
    if (answer && browser) await touchSession(browser, options)
    return answer
  }
}
