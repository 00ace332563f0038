import { randomBytes } from 'node:crypto'
import type { Failure } from '@countersign/contracts'
import { ActorKind } from '@countersign/contracts/events'
import { ClientRecord, SubjectRecord, type Confirmation, type GrantRecord } from '@countersign/contracts/records'
import { newCommitId, type Put, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { accessToken, type AccessToken } from '../access-token.ts'
import { buildClients } from '../build-clients.ts'
import { beginCommit } from '../deciding.ts'
import { exchange, type ExchangeRequest, type PresentedToken } from '../exchange.ts'
import { createTokenFormat, tagKeyFrom } from '../format.ts'
import { grantPut } from '../grant.ts'
import { isLive } from '../introspect.ts'
import type { Issued } from '../issue.ts'
import {
  clientKey,
  createRecordReader,
  grantRecord,
  sessionRecord,
  subjectKey,
  subjectRecord,
  tokenKey,
} from '../records.ts'
import { Secrets } from '../secret.ts'
import { sessionPut } from '../session.ts'

export const now = 1_800_000_000_000
export const minute = 60_000
export const partition = 3
export const audiences = {
  reports: 'https://reports.example',
  mail: 'https://mail.example',
  disk: 'https://disk.example',
} as const
const asker = { kind: ActorKind.CLIENT, id: 'web', address: '', userAgent: '', traceparent: '' }
export const by = () => ({ commitId: newCommitId(), asker, now })
const format = createTokenFormat(tagKeyFrom(randomBytes(32)))

export const clients = buildClients(
  [
    { id: 'web', audience: ['reports', 'mail'], scopes: ['openid', 'read', 'write'] },
    { id: 'reports-api', introspect: ['reports'], audience: ['mail'] },
    { id: 'mail-api', introspect: ['mail'], audience: ['disk'], accessTokenLifetimeMs: 2 * minute },
    { id: 'disk-api', introspect: ['disk'], audience: ['reports'], scopes: ['read', 'disk'] },
    { id: 'people-api', introspect: ['reports'], audience: ['mail'], scopes: ['openid'] },
    { id: 'gateway', introspect: ['*'], audience: ['disk'] },
    { id: 'native', public: true, audience: ['mail'], introspect: ['reports'] },
    { id: 'idle-api', introspect: ['reports'] },
    { id: 'loop', audience: ['reports'] },
  ],
  Object.entries(audiences).map(([id, audience]) => ({ id, audience })),
  new Secrets(),
  { accessTokenMs: 10 * minute, refreshTokenMs: 60 * minute },
)

const grant = grantRecord({ id: 'g1', clientId: 'web', subject: 'alice', sessionId: 's1', browserSessionId: 's1' })
const session = sessionRecord({
  id: 's1',
  subject: 'alice',
  expiresAt: now + 60 * minute,
  keptUntil: now + 60 * minute,
})

export type Over = Partial<Omit<ExchangeRequest, 'client'>>

/** Alice's session and her grant to web, and everything that is exchanged from it, in a store. */
export class ExchangeSetting {
  readonly store: Store = createMemoryStore()
  readonly #records = createRecordReader()

  async start(): Promise<this> {
    for (const id of clients.keys()) await this.putClient(id)
    const subject = SubjectRecord.encode(subjectRecord({ id: 'alice' })).finish()
    const owner = { key: subjectKey(partition, 'alice'), value: subject }
    await this.put(owner, sessionPut(partition, session), grantPut(partition, grant))
    return this
  }

  async put(...puts: Put[]): Promise<void> {
    await this.store.commit({ ...beginCommit(by(), partition), puts })
  }

  async putClient(id: string, over: Partial<ClientRecord> = {}): Promise<void> {
    const record = { ...ClientRecord.decode(new Uint8Array()), id, ...over }
    await this.put({ key: clientKey(partition, id), value: ClientRecord.encode(record).finish() })
  }

  /** An access token of web's for reports, as Alice's grant gave it. */
  async given(confirmation?: Confirmation): Promise<AccessToken> {
    return this.#token('web', grant, 'openid read write', [audiences.reports], confirmation)
  }

  /** A client's own token, as client_credentials gives it. */
  async machine(id: string): Promise<PresentedToken> {
    const own = grantRecord({ id: `standing.${id}`, clientId: id })
    await this.put(grantPut(partition, own))
    return this.presented(await this.#token(id, own, '', [], undefined))
  }

  async #token(
    clientId: string,
    of: GrantRecord,
    scope: string,
    audience: readonly string[],
    confirmation: Confirmation | undefined,
  ): Promise<AccessToken> {
    const client = clients.get(clientId)!
    const terms = { client, partition, grant: of, scope, audience, clientEpoch: 0, subjectEpoch: 0, confirmation }
    const access = accessToken(terms, format, randomBytes(32), now)
    await this.put(access.put)
    return access
  }

  async presented({ digest }: Pick<AccessToken, 'digest'>): Promise<PresentedToken> {
    const entries = await this.store.follow(tokenKey(partition, digest))
    return { parsed: { partition, recordDigest: digest }, held: this.#records.held(entries!) }
  }

  async decide(clientId: string, token: Pick<AccessToken, 'digest'>, over: Over = {}): Promise<Issued> {
    const client = clients.get(clientId)!
    const [entry] = await this.store.get([clientKey(partition, clientId)])
    const clientRecord = entry && { record: ClientRecord.decode(entry.value), version: entry.version }
    const asked = { actor: undefined, scope: undefined, resources: [], confirmation: undefined }
    const request = { client, clientRecord, subject: await this.presented(token), ...asked, ...over }
    return exchange(request, format, randomBytes(32), by())
  }

  async exchanged(clientId: string, token: Pick<AccessToken, 'digest'>, over?: Over): Promise<AccessToken> {
    const { commit, access } = await this.decide(clientId, token, over)
    if ((await this.store.commit(commit)) === 'conflict') throw new Error('it conflicts')
    if (!(await this.lives(access))) throw new Error('it was dead from the beginning')
    return access
  }

  async lives(token: Pick<AccessToken, 'digest'>): Promise<boolean> {
    return isLive((await this.presented(token)).held, now)
  }

  /** The code that an exchange is refused with; `given` when it is not. */
  refusal(clientId: string, token: Pick<AccessToken, 'digest'>, over?: Over): Promise<string> {
    return this.decide(clientId, token, over).then(
      () => 'given',
      (thrown: Failure) => thrown.code,
    )
  }
}
