import { Failure, type AuthorizationCalls, type Millis } from '@countersign/contracts'
import type { Asker as AskerMessage, SessionInformation, SessionName } from '@countersign/contracts/authorization'
import { SessionRecord } from '@countersign/contracts/records'
import type { Committed } from '@countersign/store'
import { isBrowserSession, limits as tokenLimits, subjectSessions, type Deciding } from '@countersign/tokens'
import { actorAsker } from '../authorization/desk.ts'
import { browserOf, readSession, type BrowserSession } from '../authorization/state.ts'
import { limits } from '../limits.ts'
import { Applications, type ApplicationsOptions } from './applications.ts'
import { entriesOf } from './steps.ts'
import { Subjects, type SubjectsOptions } from './subjects.ts'

export interface SubjectCallsOptions extends ApplicationsOptions, SubjectsOptions {
  now: () => Millis
}

export type SubjectCalls = Omit<AuthorizationCalls, 'continue' | 'signIn' | 'agree' | 'deny' | 'getSession'>

/** What names every session of the same person but the one that asks. */
const everyOther = '*'

/** What login asks on behalf of a person who looks after their account, or of an operator who does. */
export function createSubjectCalls(options: SubjectCallsOptions): SubjectCalls {
  const { endings, commitId, now } = options
  const applications = new Applications(options)
  const subjects = new Subjects(options)

  const deciding = (asker: AskerMessage | undefined, subject: string): Deciding => ({
    commitId: commitId(),
    asker: actorAsker(asker, subject),
    now: now(),
  })

  /** Does something for whoever has a session; nobody else has anything to end. */
  async function forBrowser(
    name: SessionName | undefined,
    asker: AskerMessage | undefined,
    act: (browser: BrowserSession, by: Deciding) => Promise<Committed | undefined>,
  ): Promise<{ revision: string }> {
    const browser = await browserOf(name, options)
    if (!browser) return { revision: '' }
    return revisionOf(await act(browser, deciding(asker, browser.session.record.subject)))
  }

  async function another(browser: BrowserSession, id: string): Promise<BrowserSession | undefined> {
    const found = await readSession(options.store, { partition: browser.partition, id }, options.partitions)
    return found?.session.record.subject === browser.session.record.subject ? found : undefined
  }

  return {
    endSession: ({ session, other, asker }) =>
      forBrowser(session, asker, async (browser, by) => {
        if (other === '') return endings.session(browser, 'signed_out', by)
        if (other === everyOther) return endings.otherSessions(browser, 'signed_out_elsewhere', by)
        const found = await another(browser, other)
        return found && endings.session(found, 'signed_out_elsewhere', by)
      }),

    signOutEverywhere: ({ session, asker }) =>
      forBrowser(session, asker, ({ partition, session: { record } }, by) =>
        endings.subject(partition, record.subject, { as: 'signed_out', reason: 'signed_out_everywhere' }, by),
      ),

    async listSessions({ session }) {
      const browser = await browserOf(session, options)
      return { sessions: browser ? await sessionsOf(browser, options) : [] }
    },

    async listApplications({ session }) {
      const browser = await browserOf(session, options)
      return { applications: browser ? await applications.list(browser, now()) : [] }
    },

    async withdrawConsent({ session, clientId, asker }) {
      if (!/^[\x21-\x7e]+$/.test(clientId) || clientId.length > tokenLimits.clientIdCharacters) {
        throw new Failure('invalid_request', 'that is no application')
      }
      return forBrowser(session, asker, (browser, by) => applications.withdraw(browser, clientId, by))
    },

    getSubject: ({ partition, subject }) => subjects.get(partition, subject),

    async changeSubject(request) {
      return revisionOf(await subjects.change(request, () => deciding(request.asker, request.subject)))
    },
  }
}

const revisionOf = (committed: Committed | undefined) => ({ revision: committed?.revision ?? '' })

/** The sessions that browsers of a person may still use; the newest first. */
async function sessionsOf(
  { partition, session: { record: current }, subject }: BrowserSession,
  { store, now }: Pick<SubjectCallsOptions, 'store' | 'now'>,
): Promise<SessionInformation[]> {
  const at = now()
  const living: SessionRecord[] = []
  for await (const { value } of entriesOf(store, subjectSessions(partition, current.subject), limits.sessions)) {
    const record = SessionRecord.decode(value)
    if (record.id !== current.id && isBrowserSession(record, subject?.record, at)) living.push(record)
  }
  return [current, ...living.toSorted((one, other) => other.startedAt - one.startedAt)]
    .slice(0, limits.sessionsShown)
    .toSorted((one, other) => other.startedAt - one.startedAt)
    .map((record) => ({
      id: record.id,
      isCurrent: record.id === current.id,
      provider: record.provider,
      userAgent: record.userAgent,
      address: record.address,
      startedAt: record.startedAt,
      usedAt: record.usedAt,
      expiresAt: record.expiresAt,
      amr: record.amr,
    }))
}
