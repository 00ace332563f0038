import { Failure, type Millis, type Partition } from '@countersign/contracts'
import type { Answer, Next } from '@countersign/contracts/authorization'
import { ConsentRecord, type AuthorizationRecord } from '@countersign/contracts/records'
import type { Commit, Key, Store } from '@countersign/store'
import {
  addCode,
  consentKey,
  grantOf,
  isRegisteredRedirect,
  nextStep,
  scopesOf,
  subjectConsents,
  tell,
  tokenSecretBytes,
  type Client,
  type Deciding,
  type TokenFormat,
} from '@countersign/tokens'
import type { ClientSource } from '../clients/source.ts'
import type { SubjectNames } from '../subject-names.ts'
import { answerTo, destinationOf, errorTo } from './answer.ts'
import { clientInformation, type Desk, type Plan } from './desk.ts'
import { hintedClient, takingAway, type Pending, type Requests } from './requests.ts'
import { acquaintanceKeys, readAcquaintance, type Acquaintance, type BrowserSession } from './state.ts'

export interface RequestDeskOptions {
  store: Pick<Store, 'get'>
  requests: Requests
  find: ClientSource['find']
  issuer: string
  format: TokenFormat
  subjectNames: SubjectNames
  /** Descriptions of scopes, for the consent page. */
  scopeDescriptions: () => ReadonlyMap<string, string>
  authorizationCodeMs: Millis
  randomBytes: (bytes: number) => Uint8Array
}

interface Known {
  readonly record: AuthorizationRecord
  /** Undefined: it was never stored. */
  readonly pending: Pending | undefined
  readonly client: Client
  readonly browser: BrowserSession
  readonly acquaintance: Acquaintance
}

/** Authorization requests: sign in, agree, and go back to the application with a code. */
export class RequestDesk implements Desk {
  readonly #options: RequestDeskOptions

  constructor(options: RequestDeskOptions) {
    this.#options = options
  }

  keysOf(id: string, partition: Partition, subject: string): Key[] {
    const place = this.#options.requests.keyOf(id)
    const clientId = hintedClient(id)
    if (!place) return []
    return [place.key, ...(clientId === undefined ? [] : acquaintanceKeys(clientId, partition, subject))]
  }

  async plan(
    id: string,
    browser: BrowserSession | undefined,
    by: Deciding,
    commit: Commit,
    reader: Pick<Store, 'get'> = this.#options.store,
  ): Promise<Plan> {
    const { pending, client } = await this.#find(id, reader)
    const { record } = pending
    const acquaintance = browser && (await this.#acquaintance(client, browser, reader))
    const session = browser?.session.record
    const told = session ? this.#toldSubject(client, session.subject) : ''
    const step = nextStep(record, client, session, told, acquaintance?.consent?.record)
    switch (step.kind) {
      case 'sign_in':
        return show({ $case: 'signIn', value: signInPage(record, client, step.again) })
      case 'consent':
        return show({ $case: 'consent', value: this.#consentPage(record, client) })
      case 'refuse':
        return this.#refuse(pending, step.error, '', by)
      case 'complete': {
        const known = { record, pending, client, browser: browser!, acquaintance: acquaintance! }
        return this.#complete(known, record.scope, false, by, commit)
      }
    }
  }

  /**
   * The answer to a request that needs no page: of somebody who is signed in and has agreed, or `prompt=none`. Undefined
   * where one is needed; `commit` is to be made where something is in it.
   */
  async answerAtOnce(
    record: AuthorizationRecord,
    client: Client,
    browser: BrowserSession | undefined,
    by: Deciding,
    commit: Commit,
  ): Promise<Answer | undefined> {
    if (!browser && !record.prompts.includes('none')) return undefined
    const acquaintance = browser && (await this.#acquaintance(client, browser))
    const session = browser?.session.record
    const told = session ? this.#toldSubject(client, session.subject) : ''
    const step = nextStep(record, client, session, told, acquaintance?.consent?.record)
    if (step.kind === 'refuse') return errorTo(destinationOf(record), this.#options.issuer, step.error, '')
    if (step.kind !== 'complete') return undefined
    const known = { record, pending: undefined, client, browser: browser!, acquaintance: acquaintance! }
    const { next } = this.#complete(known, record.scope, false, by, commit)
    return next?.$case === 'answer' ? next.value : undefined
  }

  async agree(
    id: string,
    browser: BrowserSession,
    scopes: readonly string[],
    by: Deciding,
    commit: Commit,
  ): Promise<Plan> {
    const { pending, client } = await this.#find(id)
    const { record } = pending
    const acquaintance = await this.#acquaintance(client, browser)
    const told = this.#toldSubject(client, browser.session.record.subject)
    const step = nextStep(record, client, browser.session.record, told, acquaintance.consent?.record)
    if (step.kind === 'sign_in') return show({ $case: 'signIn', value: signInPage(record, client, step.again) })
    const asked = scopesOf(record.scope)
    const agreed = asked.filter((scope) => scope === 'openid' || scopes.includes(scope))
    if (asked.length > 0 && agreed.length === 0) return this.deny(id, { error: '', description: '' }, browser, by)
    const known = { record, pending, client, browser, acquaintance }
    const plan = this.#complete(known, agreed.join(' '), true, by, commit)
    remember(commit, known, agreed, by)
    return plan
  }

  async deny(
    id: string,
    { error, description }: { error: string; description: string },
    browser: BrowserSession | undefined,
    by: Deciding,
  ): Promise<Plan> {
    const { pending } = await this.#find(id)
    const plan = this.#refuse(pending, error || 'access_denied', description, by)
    if (plan.kind === 'finish') {
      const { clientId, scope } = pending.record
      const subject = browser?.session.record.subject ?? ''
      const told = { subject, clientId, scopes: scopesOf(scope), reason: error || 'access_denied' }
      tell(plan.commit, by, { type: 'consent.denied', ...told })
    }
    return plan
  }

  async #find(id: string, reader?: Pick<Store, 'get'>): Promise<{ pending: Pending; client: Client }> {
    const pending = await this.#options.requests.pending(id, reader)
    const { clientId, redirectUri } = pending.record
    const client = await this.#options.find(clientId)
    // Nor is anything sent to where it does not want to be answered any more.
    if (!client || !isRegisteredRedirect(client.redirectUris, redirectUri)) {
      throw new Failure('not_found', 'this application is not known any more')
    }
    return { pending, client }
  }

  #acquaintance(
    client: Client,
    { partition, session }: BrowserSession,
    reader: Pick<Store, 'get'> = this.#options.store,
  ): Promise<Acquaintance> {
    return readAcquaintance(reader, client, partition, session.record.subject)
  }

  #toldSubject(client: Client, subject: string): string {
    return this.#options.subjectNames.toldTo(client, subject) || subject
  }

  /** Answers the application with an error; nothing else is written. */
  #refuse(pending: Pending, error: string, description: string, by: Deciding): Plan {
    const commit = takingAway(pending.key, pending.version, by, pending.partition)
    const value = errorTo(destinationOf(pending.record), this.#options.issuer, error, description)
    return { kind: 'finish', claim: undefined, commit, next: { $case: 'answer', value } }
  }

  #complete(known: Known, scope: string, isAgreed: boolean, by: Deciding, commit: Commit): Plan {
    const { record, pending, client, browser, acquaintance } = known
    const { issuer, format, subjectNames, authorizationCodeMs, randomBytes } = this.#options
    const session = browser.session.record
    const agreed = {
      client,
      subject: session.subject,
      session,
      scope,
      audience: record.audience,
      claims: record.claims,
      origin: 'authorization_code',
      toldSubject: subjectNames.toldTo(client, session.subject),
    } as const
    const request = {
      request: record,
      grant: grantOf(agreed, Buffer.from(randomBytes(16)).toString('base64url'), by.now),
      clientEpoch: acquaintance.client.record.epoch,
      subjectEpoch: session.subjectEpoch,
      isAgreed,
    }
    // What was agreed to before must still be, when the code is given.
    if (!isAgreed && client.asksConsent && acquaintance.consent) {
      const key = consentKey(browser.partition, session.subject, client.id)
      commit.checks.push({ key, version: acquaintance.consent.version })
    }
    const claim = pending && claimed(pending, commit, by)
    const code = addCode(commit, request, format, randomBytes(tokenSecretBytes), authorizationCodeMs, by)
    return {
      kind: 'finish',
      claim,
      commit,
      next: { $case: 'answer', value: answerTo(destinationOf(record), issuer, { code }) },
    }
  }

  #consentPage(record: AuthorizationRecord, client: Client) {
    const descriptions = this.#options.scopeDescriptions()
    return {
      client: clientInformation(client),
      scopes: scopesOf(record.scope).map((scope) => ({ scope, description: descriptions.get(scope) ?? '' })),
      uiLocales: record.uiLocales,
      display: record.display,
      userCode: '',
    }
  }
}

const show = (next: Next['next']): Plan => ({ kind: 'show', next })

/** Takes a pending request away: in the same commit, or in one before it where that is of another partition. */
function claimed({ key, version, partition }: Pending, commit: Commit, by: Deciding): Commit | undefined {
  if (partition !== commit.partition) return takingAway(key, version, { commitId: claimId(by) }, partition)
  commit.checks.push({ key, version })
  commit.deletes.push(key)
  return undefined
}

/** Another commit's id, made of this one's: both are as random. */
export const claimId = ({ commitId }: Pick<Deciding, 'commitId'>): string =>
  commitId.slice(16) + commitId.slice(0, 16).split('').reverse().join('')

const signInPage = (record: AuthorizationRecord, client: Client, again: boolean) => ({
  client: clientInformation(client),
  loginHint: record.loginHint,
  uiLocales: record.uiLocales,
  display: record.display,
  again,
  acrValues: record.acrValues,
})

/** So that the person is not asked the same again. What they unticked, they no longer agree to. */
function remember(
  commit: Commit,
  { record, browser, client, acquaintance }: Known,
  agreed: readonly string[],
  by: Deciding,
): void {
  const { subject } = browser.session.record
  const key = consentKey(browser.partition, subject, client.id)
  const before = acquaintance.consent
  const asked = scopesOf(record.scope)
  const kept = (before?.record.scopes ?? []).filter((scope) => !asked.includes(scope))
  const scopes = [...kept, ...agreed]
  commit.checks.push({ key, version: before?.version ?? null })
  commit.puts.push({
    key,
    value: ConsentRecord.encode({ clientId: client.id, subject, scopes, givenAt: by.now }).finish(),
    listedIn: [subjectConsents(browser.partition, subject)],
  })
}
