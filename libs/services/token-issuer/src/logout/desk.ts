import type { Next } from '@countersign/contracts/authorization'
import type { LogoutRecord } from '@countersign/contracts/records'
import type { Client, Deciding } from '@countersign/tokens'
import { clientInformation, type Desk, type Plan } from '../authorization/desk.ts'
import type { BrowserSession } from '../authorization/state.ts'
import type { ClientSource } from '../clients/source.ts'
import type { SubjectNames } from '../subject-names.ts'
import type { Endings } from './endings.ts'
import type { LogoutRequests } from './requests.ts'

export interface LogoutDeskOptions {
  logoutRequests: Pick<LogoutRequests, 'find'>
  endings: Pick<Endings, 'session'>
  find: ClientSource['find']
  subjectNames: SubjectNames
}

interface Asked {
  readonly record: LogoutRecord
  readonly client: Client
}

/**
 * Sign-outs (OpenID Connect RP-Initiated Logout 1.0). A person is asked, unless the application proved by an ID token that
 * it means this very session. What ends here is committed before it is told, so that asking again gives the same answer.
 */
export class LogoutDesk implements Desk {
  readonly #options: LogoutDeskOptions

  constructor(options: LogoutDeskOptions) {
    this.#options = options
  }

  keysOf(): [] {
    return []
  }

  /** @param id empty where the person came by themselves */
  async plan(id: string, browser: BrowserSession | undefined, by: Deciding): Promise<Plan> {
    const asked = await this.#find(id)
    if (!browser) return done('signed_out', asked)
    if (asked && this.#isMeant(asked, browser)) return this.#end(asked, browser, by)
    const client = asked && clientInformation(asked.client)
    return show({ $case: 'signOut', value: { client } })
  }

  async agree(id: string, browser: BrowserSession, _scopes: readonly string[], by: Deciding): Promise<Plan> {
    return this.#end(await this.#find(id), browser, by)
  }

  async deny(id: string): Promise<Plan> {
    await this.#find(id)
    return done('still_signed_in', undefined)
  }

  /** Undefined where nobody asked for it, or an application that is not known any more. */
  async #find(id: string): Promise<Asked | undefined> {
    if (id === '') return undefined
    const record = await this.#options.logoutRequests.find(id)
    const client = await this.#options.find(record.clientId)
    return client && { record, client }
  }

  /** Whether the ID token that came along was given in this session, one before it in this browser, or to this person where it does not name a session. */
  #isMeant({ record, client }: Asked, { session }: BrowserSession): boolean {
    const { id, predecessors, subject } = session.record
    if (record.hintedSession !== '') return [id, ...predecessors].includes(record.hintedSession)
    return (
      record.hintedSubject !== '' &&
      record.hintedSubject === (this.#options.subjectNames.toldTo(client, subject) || subject)
    )
  }

  async #end(asked: Asked | undefined, browser: BrowserSession, by: Deciding): Promise<Plan> {
    await this.#options.endings.session(browser, 'signed_out', by)
    return done('signed_out', asked)
  }
}

const show = (next: Next['next']): Plan => ({ kind: 'show', next })

const done = (what: 'signed_out' | 'still_signed_in', asked: Asked | undefined): Plan =>
  show({ $case: 'done', value: { what, uri: asked ? destinationOf(asked.record) : '' } })

/** Where the application wants the browser afterwards, with its `state`. */
function destinationOf({ redirectUri, state }: LogoutRecord): string {
  if (redirectUri === '' || state === '') return redirectUri
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`
}
