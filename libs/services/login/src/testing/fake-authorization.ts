import { Failure } from '@countersign/contracts'
import {
  ConsentPage,
  SignInPage,
  SignOutPage,
  type Answer,
  type ApplicationInformation,
  type ChangeSubjectRequest,
  type ClientInformation,
  type Done,
  type Errand,
  type GetSubjectResponse,
  type Next,
  type Session,
  type SessionName,
  type SignInRequest,
} from '@countersign/contracts/authorization'
import type { AuthorizationCalls } from '@countersign/contracts'

const none = new Uint8Array()

export const client = (fields: Partial<ClientInformation> = {}): ClientInformation => ({
  id: 'web',
  name: 'The Web Application',
  uri: '',
  logoUri: '',
  policyUri: 'https://app.example/privacy',
  tosUri: '',
  registeredItself: false,
  ...fields,
})

/** A request, device or sign-out that waits: who asks, and how it ends. */
export interface Waiting {
  client?: ClientInformation
  loginHint?: string
  again?: boolean
  scopes?: { scope: string; description: string }[]
  userCode?: string
  /** Left out: the person is not asked. */
  asks?: boolean
  end: { $case: 'answer'; value: Answer } | { $case: 'done'; value: Done }
  denied?: { $case: 'answer'; value: Answer } | { $case: 'done'; value: Done }
}

export const answer = (uri: string, fields: Answer['fields'] = []) => ({
  $case: 'answer' as const,
  value: { uri, fields },
})
export const done = (what: string, uri = '') => ({ $case: 'done' as const, value: { what, uri } })

/** token-issuer as login sees it: sessions and waiting requests in memory, and what was asked of it. */
export class FakeAuthorization implements AuthorizationCalls {
  readonly waiting = new Map<string, Waiting>()
  readonly sessions = new Map<string, Session>()
  readonly signIns: SignInRequest[] = []
  readonly agreed: string[][] = []
  readonly devices = new Map<string, { userAgent: string; address: string }>()
  /** What applications hold, by client id. */
  readonly applications = new Map<string, ApplicationInformation>()
  /** What was done to subjects, in order. */
  readonly changes: ChangeSubjectRequest[] = []
  readonly subjects = new Map<string, GetSubjectResponse>()
  now: () => number = Date.now
  /** Everything fails with this. */
  failure: Failure | undefined

  async continue({ errand, session }: { errand: Errand | undefined; session: SessionName | undefined }) {
    return { next: this.#next(errand, this.#good(session)) }
  }

  async signIn(request: SignInRequest) {
    this.#mayFail()
    this.signIns.push(request)
    const { session, previous, subject } = request
    if (previous) this.sessions.delete(previous.id)
    const now = this.now()
    const at = { startedAt: now, authenticatedAt: now, expiresAt: now + 43_200_000 }
    const { amr, provider } = request
    const begun: Session = { ...session!, subject, ...at, amr, acr: '', provider }
    this.devices.set(begun.id, { userAgent: request.asker?.userAgent ?? '', address: request.asker?.address ?? '' })
    this.sessions.set(begun.id, begun)
    return { session: begun, next: request.errand && this.#next(request.errand, begun, true) }
  }

  async agree({
    errand,
    session,
    scopes,
  }: {
    errand: Errand | undefined
    session: SessionName | undefined
    scopes: string[]
  }) {
    const { end } = this.#take(errand)
    this.agreed.push(scopes)
    if (errand?.errand?.$case === 'logoutId' && session) this.sessions.delete(session.id)
    return { next: { next: end, session: undefined } }
  }

  async deny({ errand }: { errand: Errand | undefined }) {
    const waiting = this.#take(errand)
    const denied = errand?.errand?.$case === 'logoutId' ? done('still_signed_in') : waiting.denied
    return { next: { next: denied, session: undefined } }
  }

  async getSession({ session }: { session: SessionName | undefined }) {
    this.#mayFail()
    return { session: this.#good(session) }
  }

  async endSession({ session, other }: { session: SessionName | undefined; other: string }) {
    this.#mayFail()
    const current = this.#good(session)
    for (const [id, { subject }] of this.sessions) {
      const isMeant = other === '' ? id === current?.id : other === '*' ? id !== current?.id : id === other
      if (current && subject === current.subject && isMeant) this.sessions.delete(id)
    }
    return { revision: '' }
  }

  async listSessions({ session }: { session: SessionName | undefined }) {
    this.#mayFail()
    const current = this.#good(session)
    const own = [...this.sessions.values()].filter(({ subject }) => subject === current?.subject)
    return {
      sessions: own.map(({ id, provider, startedAt, expiresAt, amr }) => ({
        ...{ id, provider, startedAt, expiresAt, amr, usedAt: startedAt, isCurrent: id === current?.id },
        ...this.devices.get(id)!,
      })),
    }
  }

  async listApplications() {
    this.#mayFail()
    return { applications: [...this.applications.values()] }
  }

  async withdrawConsent({ clientId }: { clientId: string }) {
    this.#mayFail()
    this.applications.delete(clientId)
    return { revision: '' }
  }

  async getSubject({ subject }: { subject: string }) {
    this.#mayFail()
    return this.subjects.get(subject) ?? { roles: [], standings: [], disabledAt: 0, deletedAt: 0 }
  }

  async changeSubject(request: ChangeSubjectRequest) {
    this.#mayFail()
    this.changes.push(request)
    for (const [id, { subject }] of this.sessions)
      if (subject === request.subject && id !== request.except?.id) this.sessions.delete(id)
    return { revision: `${request.partition}:${'0'.repeat(32)}:${this.changes.length}` }
  }

  async signOutEverywhere({ session }: { session: SessionName | undefined }) {
    const subject = this.#good(session)?.subject
    for (const [id, each] of this.sessions) if (each.subject === subject) this.sessions.delete(id)
    return { revision: '' }
  }

  #mayFail(): void {
    if (this.failure) throw this.failure
  }

  #good(session: SessionName | undefined): Session | undefined {
    return session && this.sessions.get(session.id)
  }

  #find(errand: Errand | undefined): Waiting {
    this.#mayFail()
    const { $case, value } = errand!.errand!
    if ($case === 'logoutId' && value === '') return { asks: true, end: done('signed_out') }
    const waiting = this.waiting.get(value)
    if (!waiting) throw new Failure('not_found', 'this request is not known, or it has expired')
    return waiting
  }

  #take(errand: Errand | undefined): Waiting {
    const waiting = this.#find(errand)
    this.waiting.delete(errand!.errand!.value)
    return waiting
  }

  #next(errand: Errand | undefined, session: Session | undefined, hasJustSignedIn = false): Next {
    const waiting = this.#find(errand)
    const { client: asker, scopes = [], loginHint = '', userCode = '', again = false } = waiting
    if (errand!.errand!.$case === 'logoutId') {
      const page = { ...SignOutPage.decode(none), client: asker }
      return session ? { next: { $case: 'signOut', value: page }, session } : { next: waiting.end, session }
    }
    if (!session || (again && !hasJustSignedIn)) {
      const page = { ...SignInPage.decode(none), client: asker, loginHint, again }
      return { next: { $case: 'signIn', value: page }, session }
    }
    const page = { ...ConsentPage.decode(none), client: asker, scopes, userCode }
    return { next: waiting.asks ? { $case: 'consent', value: page } : this.#take(errand).end, session }
  }
}
