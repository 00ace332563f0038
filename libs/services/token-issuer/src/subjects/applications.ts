import { Failure } from '@countersign/contracts'
import type { ApplicationInformation } from '@countersign/contracts/authorization'
import { ConsentRecord, GrantRecord, SessionRecord, TokenRecord } from '@countersign/contracts/records'
import type { Committed, Entry, Key, Listing, Store } from '@countersign/store'
import {
  addCodeRevocation,
  addGrantRevocation,
  consentKey,
  scopesOf,
  sessionKey,
  subjectCodes,
  subjectConsents,
  subjectGrants,
  tell,
  type Client,
  type Deciding,
} from '@countersign/tokens'
import { clientInformation } from '../authorization/desk.ts'
import { versioned, type BrowserSession } from '../authorization/state.ts'
import type { ClientSource } from '../clients/source.ts'
import { limits } from '../limits.ts'
import { changeInSteps, entriesOf, pagesOf, readMany, type Change } from './steps.ts'

export interface ApplicationsOptions {
  store: Store
  find: ClientSource['find']
  /** Descriptions of scopes, as the consent page has them. */
  scopeDescriptions: () => ReadonlyMap<string, string>
  commitId: () => string
}

/** What one application may do in a person's name. */
interface Use {
  scopes: Set<string>
  givenAt: number
  grantedAt: number
}

const reason = 'consent_withdrawn'

/** The applications that a person agreed to, or that have a grant of theirs. */
export class Applications {
  readonly #options: ApplicationsOptions

  constructor(options: ApplicationsOptions) {
    this.#options = options
  }

  /** By name. */
  async list(browser: BrowserSession, now: number): Promise<ApplicationInformation[]> {
    const uses = await this.#uses(browser, now)
    const latest = [...uses].toSorted(([, one], [, other]) => usedAt(other) - usedAt(one))
    const descriptions = this.#options.scopeDescriptions()
    const found: { client: Client; use: Use }[] = []
    for (const [clientId, use] of latest.slice(0, limits.applicationsLookedUp)) {
      const client = await this.#options.find(clientId)
      if (client) found.push({ client, use })
    }
    return found
      .toSorted((one, other) => one.client.name.localeCompare(other.client.name, 'en'))
      .slice(0, limits.applicationsShown)
      .map(({ client, use: { scopes, givenAt, grantedAt } }) => ({
        client: clientInformation(client),
        scopes: [...scopes].map((scope) => ({ scope, description: descriptions.get(scope) ?? '' })),
        givenAt,
        grantedAt,
      }))
  }

  /**
   * Takes back what a person agreed to, and ends every code and grant that came of it. First the consent, so that nothing new
   * comes of it meanwhile; then the rest, in steps. Repeated, it goes on where it stood.
   * @param by its commit id is not used: each step has its own
   * @returns undefined when there was nothing
   * @throws Failure `unavailable` when there is so much of it that it has to be asked for again
   */
  async withdraw(browser: BrowserSession, clientId: string, by: Deciding): Promise<Committed | undefined> {
    const { store } = this.#options
    const { partition, session } = browser
    const { subject } = session.record
    let isTold = false
    const step = async (keys: readonly Key[], change: Change) => {
      const ended = await changeInSteps(this.#options, partition, keys, by, change, (commit, deciding) => {
        if (!isTold) tell(commit, deciding, { type: 'consent.withdrawn', subject, clientId })
      })
      isTold ||= ended !== undefined
      return ended
    }
    let last = await step([consentKey(partition, subject, clientId)], (commit, { key, version }) => {
      commit.checks.push({ key, version })
      commit.deletes.push(key)
    })
    let pages = 0
    // What has ended stays listed, so that every page is looked at; only those with something to end count.
    const endIn = async (
      listing: Listing,
      perPage: number,
      isToEnd: (value: Uint8Array) => boolean,
      change: Change,
    ) => {
      for await (const page of pagesOf(store, listing, perPage)) {
        const keys = page.flatMap(({ key, value }) => (isToEnd(value) ? [key] : []))
        if (keys.length === 0) continue
        if (pages++ === limits.withdrawnPages) {
          throw new Failure('unavailable', 'not everything has ended yet: ask again', { retryAfterSeconds: 1 })
        }
        last = (await step(keys, change)) ?? last
      }
    }
    await endIn(
      subjectCodes(partition, subject),
      limits.codes.perPage,
      (value) => isOpenCode(TokenRecord.decode(value), clientId, by.now),
      (commit, entry, deciding) => {
        const digest = entry.key.slice(entry.key.indexOf('/') + 1)
        addCodeRevocation(commit, versioned(entry, TokenRecord), digest, reason, deciding)
      },
    )
    await endIn(
      subjectGrants(partition, subject),
      limits.logoutGrants.perPage,
      (value) => isOpenGrant(GrantRecord.decode(value), clientId),
      (commit, entry, deciding) => void addGrantRevocation(commit, versioned(entry, GrantRecord), reason, deciding),
    )
    return last
  }

  /** By client id. */
  async #uses({ partition, session, subject }: BrowserSession, now: number): Promise<ReadonlyMap<string, Use>> {
    const { store } = this.#options
    const { subject: id } = session.record
    const uses = new Map<string, Use>()
    const useOf = (clientId: string): Use => {
      const use = uses.get(clientId) ?? { scopes: new Set(), givenAt: 0, grantedAt: 0 }
      uses.set(clientId, use)
      return use
    }
    const grants: GrantRecord[] = []
    for await (const { value } of entriesOf(store, subjectGrants(partition, id), limits.logoutGrants)) {
      grants.push(GrantRecord.decode(value))
    }
    const consents = new Map<Key, Entry>()
    for await (const entry of entriesOf(store, subjectConsents(partition, id), limits.consents)) {
      consents.set(entry.key, entry)
    }
    // A consent of before they were listed is found by the grants that came of it.
    const unlisted = new Set(grants.map(({ clientId }) => consentKey(partition, id, clientId)))
    const found = await readMany(
      store,
      [...unlisted].filter((key) => !consents.has(key)),
    )
    for (const { value } of [...consents.values(), ...found.values()]) {
      const { clientId, scopes, givenAt } = ConsentRecord.decode(value)
      const use = useOf(clientId)
      use.givenAt = givenAt
      for (const scope of scopes) use.scopes.add(scope)
    }
    const sessionKeys = new Set(grants.map(({ browserSessionId }) => sessionKey(partition, browserSessionId)))
    const sessions = await readMany(store, [...sessionKeys])
    for (const grant of grants) {
      const begun = sessions.get(sessionKey(partition, grant.browserSessionId))
      if (!isUsable(grant, begun && SessionRecord.decode(begun.value), subject?.record.epoch ?? 0, now)) continue
      const use = useOf(grant.clientId)
      use.grantedAt = Math.max(use.grantedAt, grant.createdAt)
      for (const scope of scopesOf(grant.scope)) use.scopes.add(scope)
    }
    return uses
  }
}

const isOpenCode = ({ code, revokedAt, expiresAt }: TokenRecord, clientId: string, now: number): boolean =>
  code?.grant?.clientId === clientId && code.usedAt === 0 && revokedAt === 0 && expiresAt > now

const isOpenGrant = (grant: GrantRecord, clientId: string): boolean =>
  grant.clientId === clientId && grant.revokedAt === 0

const usedAt = ({ givenAt, grantedAt }: Use): number => Math.max(givenAt, grantedAt)

/** Whether tokens of a grant may be good: it was not revoked, nor did everything of its person end since it was given. */
function isUsable(grant: GrantRecord, begunIn: SessionRecord | undefined, epoch: number, now: number): boolean {
  if (grant.revokedAt !== 0 || (grant.expiresAt !== 0 && grant.expiresAt <= now)) return false
  if (begunIn && begunIn.subjectEpoch !== epoch) return false
  return grant.sessionId === '' || begunIn?.endedAt === 0
}
