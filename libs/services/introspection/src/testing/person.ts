import { randomBytes } from 'node:crypto'
import type { FactPush } from '@countersign/contracts'
import { GrantRecord, SubjectRecord, TokenKind, TokenRecord, type SessionRecord } from '@countersign/contracts/records'
import { tipOf, type Commit } from '@countersign/store'
import {
  beginCommit,
  clientKey,
  grantKey,
  grantRecord,
  newSessionCookie,
  sessionCookieName,
  sessionNameOf,
  sessionPut,
  sessionRecord,
  subjectKey,
  subjectRecord,
  tokenKey,
  tokenRecord,
} from '@countersign/tokens'
import { issuer, type World } from './world.ts'

const begin = () => beginCommit({ commitId: randomBytes(16).toString('hex') }, 0)

/** Somebody who signed in with a provider, in a browser and through the client `batch`. */
export class Person {
  readonly #world: World
  readonly #session: SessionRecord
  readonly #cookie = newSessionCookie(0, randomBytes(32))
  #subject: SubjectRecord

  private constructor(world: World, subject: SubjectRecord, provider: string) {
    this.#world = world
    this.#subject = subject
    const now = world.clock.now()
    this.#session = sessionRecord({
      id: sessionNameOf(this.#cookie).id,
      subject: subject.id,
      startedAt: now,
      usedAt: now,
      expiresAt: now + 3_600_000,
      keptUntil: now + 3_600_000,
      idleMs: 1_800_000,
      provider,
    })
  }

  static async signIn(world: World, fields: Partial<SubjectRecord>, provider = 'staff'): Promise<Person> {
    const person = new Person(world, subjectRecord({ id: 'ann', ...fields }), provider)
    await person.change({})
    await person.changeSession({})
    return person
  }

  /** What the browser sends. */
  get cookie(): string {
    return `${sessionCookieName(issuer)}=${this.#cookie}`
  }

  /** @returns an access token of a grant of its own */
  async token(fields: Partial<TokenRecord> = {}, grantFields: Partial<GrantRecord> = {}): Promise<string> {
    const { clock, format } = this.#world
    const { id: subject, epoch: subjectEpoch } = this.#subject
    const { id: sessionId, provider } = this.#session
    const id = randomBytes(16).toString('hex')
    const grant = grantRecord({ id, clientId: 'batch', subject, sessionId, provider, createdAt: 1, ...grantFields })
    const { token, digest } = format.mint(TokenKind.ACCESS_TOKEN, 0, randomBytes(32))
    const record = tokenRecord({
      kind: TokenKind.ACCESS_TOKEN,
      grantId: grant.id,
      scope: 'read',
      audience: ['urn:r'],
      issuedAt: clock.now(),
      expiresAt: clock.now() + 600_000,
      subjectEpoch,
      ...fields,
    })
    const commit = begin()
    const links = [grantKey(0, id), clientKey(0, 'batch'), subjectKey(0, subject), `0:session/${sessionId}`]
    commit.puts.push(
      { key: grantKey(0, id), value: GrantRecord.encode(grant).finish() },
      { key: tokenKey(0, digest), value: TokenRecord.encode(record).finish(), links },
    )
    await this.#world.store.commit(commit)
    return token
  }

  /** Changes the person, with the fact that tells of it. @returns what is announced */
  async change(fields: Partial<SubjectRecord>): Promise<FactPush> {
    this.#subject = { ...this.#subject, ...fields }
    const commit = begin()
    const value = SubjectRecord.encode(this.#subject).finish()
    commit.puts.push({ key: subjectKey(0, this.#subject.id), value })
    commit.facts.push({ kind: 'subject', id: this.#subject.id })
    return this.#commit(commit)
  }

  async changeSession(fields: Partial<SessionRecord>): Promise<void> {
    const commit = begin()
    commit.puts.push(sessionPut(0, { ...this.#session, ...fields }))
    await this.#commit(commit)
  }

  async #commit(commit: Commit): Promise<FactPush> {
    const committed = await this.#world.store.commit(commit)
    if (committed === 'conflict') throw new Error('conflict')
    const { revision, previousTip } = committed
    return { revision, previousTip, tip: tipOf(previousTip, commit.id), facts: commit.facts }
  }
}

export const standing = (provider: string, roles: string[], attributes: Record<string, string[]> = {}) => ({
  provider,
  roles,
  attributes: Object.entries(attributes).map(([name, values]) => ({ name, values })),
  determinedAt: 1,
})
