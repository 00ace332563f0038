import { Failure, type AuthorizationCalls, type Millis, type Partition } from '@countersign/contracts'
import type {
  AgreeRequest,
  AgreeResponse,
  Asker as AskerMessage,
  ContinueRequest,
  ContinueResponse,
  DenyRequest,
  DenyResponse,
  Errand,
  GetSessionRequest,
  GetSessionResponse,
  Next,
  Session,
  SessionName,
  SignInRequest,
  SignInResponse,
} from '@countersign/contracts/authorization'
import { SubjectRecord } from '@countersign/contracts/records'
import type { Commit, Key, Store } from '@countersign/store'
import {
  addSession,
  beginCommit,
  checkAttributes,
  checkRoles,
  subjectKey,
  type Deciding,
  type Versioned,
} from '@countersign/tokens'
import { decideAndCommit } from '../decide.ts'
import type { Endings } from '../logout/endings.ts'
import { personAsker, type Desk, type Plan } from './desk.ts'
import { browserOf, readAhead, touchSession, versioned, type BrowserSession } from './state.ts'

export interface HandoverOptions {
  store: Store
  partitions: number
  desks: { request: Desk; device: Desk; logout: Desk }
  endings: Endings
  /** Longest time that a token can hang on a session. */
  longestGrantMs: () => Millis
  now: () => Millis
  commitId: () => string
}

const over = (): Failure => new Failure('not_found', 'this sign-in is over: go back to the application and start again')

export type HandoverCalls = Pick<AuthorizationCalls, 'continue' | 'signIn' | 'agree' | 'deny' | 'getSession'>

/** What login asks on behalf of a browser that is on its way. */
export function createHandover(options: HandoverOptions): HandoverCalls {
  const handover = new Handover(options)
  return {
    continue: (request) => handover.continue(request),
    signIn: (request) => handover.signIn(request),
    agree: (request) => handover.agree(request),
    deny: (request) => handover.deny(request),
    getSession: (request) => handover.getSession(request),
  }
}

class Handover implements HandoverCalls {
  readonly #options: HandoverOptions

  constructor(options: HandoverOptions) {
    this.#options = options
  }

  async continue({ errand, session, asker }: ContinueRequest): Promise<ContinueResponse> {
    const [desk, id] = this.#deskOf(errand)
    const browser = await browserOf(session, this.#options)
    if (browser) await touchSession(browser, this.#options)
    return this.#carryOut((by, commit) => desk.plan(id, browser, by, commit), browser, asker)
  }

  async agree({ errand, session, scopes, asker }: AgreeRequest): Promise<AgreeResponse> {
    const [desk, id] = this.#deskOf(errand)
    const browser = await browserOf(session, this.#options)
    const plan = (by: Deciding, commit: Commit) =>
      browser ? desk.agree(id, browser, scopes, by, commit) : desk.plan(id, undefined, by, commit)
    return this.#carryOut(plan, browser, asker)
  }

  async deny({ errand, session, error, description, asker }: DenyRequest): Promise<DenyResponse> {
    const [desk, id] = this.#deskOf(errand)
    const browser = await browserOf(session, this.#options)
    return this.#carryOut((by) => desk.deny(id, { error, description }, browser, by), browser, asker)
  }

  async signIn(request: SignInRequest): Promise<SignInResponse> {
    const { session: name, subject, errand, asker } = request
    const { store, partitions, endings, longestGrantMs } = this.#options
    const isLeaving = errand?.errand?.$case === 'logoutId'
    if (!name || name.partition >= partitions || subject === '' || isLeaving) {
      throw new Failure('invalid_request', 'a new session of a subject is required, to sign in')
    }
    checkRoles(request.roles)
    checkAttributes(request.attributes)
    let previous: BrowserSession | undefined
    let sameBrowser: BrowserSession | undefined
    let next: Next['next'] | undefined
    let browser: BrowserSession | undefined
    await decideAndCommit(store, async () => {
      const by = this.#deciding(asker, subject)
      const keys = [subjectKey(name.partition, subject), ...this.#keysOf(errand, name, subject)]
      const [before, reader] = await Promise.all([browserOf(request.previous, this.#options), readAhead(store, keys)])
      // The same person goes on, under another name; somebody else begins anew.
      const isSame = before?.session.record.subject === subject && before.partition === name.partition
      previous = before
      sameBrowser = isSame ? before : undefined
      const owner = await readSubject(reader, name.partition, subject)
      const commit = beginCommit(by, name.partition)
      const signedIn = { ...request, sessionId: name.id, keptMs: longestGrantMs() }
      const { record, subject: standing } = addSession(commit, signedIn, owner, sameBrowser?.session, by)
      browser = { partition: name.partition, session: { record, version: commit.id }, subject: standing }
      if (errand) next = await this.#planInto(commit, errand, browser, by, reader)
      return { commit }
    })
    if (previous && !sameBrowser) {
      const by = this.#deciding(asker, previous.session.record.subject)
      await endings.session(previous, 'somebody_else_signed_in', by)
    }
    const session = sessionMessage(browser!)
    return { session, next: next && { next, session } }
  }

  async getSession({ session }: GetSessionRequest): Promise<GetSessionResponse> {
    const browser = await browserOf(session, this.#options)
    if (browser) await touchSession(browser, this.#options)
    return { session: browser && sessionMessage(browser) }
  }

  #deciding(asker: AskerMessage | undefined, subject: string): Deciding {
    const { commitId, now } = this.#options
    return { commitId: commitId(), asker: personAsker(asker, subject), now: now() }
  }

  #deskOf(errand: Errand | undefined): [Desk, string] {
    const { desks } = this.#options
    const { $case, value } = errand?.errand ?? {}
    if ($case === 'requestId') return [desks.request, value!]
    if ($case === 'userCode') return [desks.device, value!]
    if ($case === 'logoutId') return [desks.logout, value!]
    throw new Failure('invalid_request', 'an errand is required')
  }

  #keysOf(errand: Errand | undefined, { partition }: SessionName, subject: string): Key[] {
    if (!errand) return []
    const [desk, id] = this.#deskOf(errand)
    return desk.keysOf(id, partition, subject)
  }

  /** Carries a plan out. Who loses a race finds the errand over. */
  async #carryOut(
    plan: (by: Deciding, commit: Commit) => Promise<Plan>,
    browser: BrowserSession | undefined,
    asker: AskerMessage | undefined,
  ): Promise<{ next: Next }> {
    let next: Next['next']
    await decideAndCommit(this.#options.store, async () => {
      const by = this.#deciding(asker, browser?.session.record.subject ?? '')
      const made = await plan(by, beginCommit(by, browser?.partition ?? 0))
      next = made.next
      if (made.kind === 'show') return undefined
      await this.#claim(made.claim)
      return { commit: made.commit }
    })
    const isOver = next?.$case === 'done' && next.value.what === 'signed_out'
    return { next: { next, session: isOver || !browser ? undefined : sessionMessage(browser) } }
  }

  /** Adds to the commit that begins a session what the errand needs; what is only to be shown is shown after it. */
  async #planInto(
    commit: Commit,
    errand: Errand,
    browser: BrowserSession,
    by: Deciding,
    reader: Pick<Store, 'get'>,
  ): Promise<Next['next']> {
    const [desk, id] = this.#deskOf(errand)
    const plan = await desk.plan(id, browser, by, commit, reader)
    if (plan.kind === 'finish' && plan.commit === commit) await this.#claim(plan.claim)
    else if (plan.kind === 'finish') await this.#options.store.commit(plan.commit)
    return plan.next
  }

  async #claim(claim: Commit | undefined): Promise<void> {
    if (claim && (await this.#options.store.commit(claim)) === 'conflict') throw over()
  }
}

const sessionMessage = ({ partition, session: { record } }: BrowserSession): Session => ({
  partition,
  id: record.id,
  subject: record.subject,
  startedAt: record.startedAt,
  authenticatedAt: record.authenticatedAt,
  expiresAt: record.expiresAt,
  amr: record.amr,
  acr: record.acr,
  provider: record.provider,
})

/** @throws Failure `access_denied` when the person may not sign in */
async function readSubject(
  reader: Pick<Store, 'get'>,
  partition: Partition,
  id: string,
): Promise<Versioned<SubjectRecord> | undefined> {
  const [entry] = await reader.get([subjectKey(partition, id)])
  const owner = entry && versioned(entry, SubjectRecord)
  if (owner && owner.record.disabledAt !== 0) throw new Failure('access_denied', 'this account is disabled')
  return owner
}
