import { randomBytes } from 'node:crypto'
import { ActorKind } from '@countersign/contracts/events'
import { AuthorizationRecord, ClientRecord, SubjectRecord } from '@countersign/contracts/records'
import type { Commit, Entry } from '@countersign/store'
import { addCode, redeemCode, type CodeRedemption } from '../authorization-code.ts'
import { buildClients, type ClientDefinition } from '../build-clients.ts'
import { beginCommit } from '../deciding.ts'
import { createTokenFormat, tagKeyFrom } from '../format.ts'
import { grantOf } from '../grant.ts'
import {
  clientKey,
  createRecordReader,
  sessionKey,
  sessionRecord,
  subjectKey,
  subjectRecord,
  tokenKey,
} from '../records.ts'
import { Secrets } from '../secret.ts'
import { sessionPut } from '../session.ts'

export const minute = 60_000
export const partition = 5
export const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const redirectUri = 'https://app.example/cb'

const definitions: ClientDefinition[] = [
  {
    id: 'web',
    public: true,
    grants: ['authorization_code', 'refresh_token'],
    scopes: ['openid', 'read', 'write', 'offline_access'],
    audience: ['reports'],
    redirectUris: [redirectUri],
  },
  { id: 'other', public: true, grants: ['authorization_code', 'refresh_token'], redirectUris: [redirectUri] },
]

/** A person, her applications, and a store as simple as can be: for decisions that are made one after another. */
export class People {
  now = 1_800_000_000_000
  readonly tagKey = tagKeyFrom(randomBytes(32))
  format = createTokenFormat(this.tagKey)
  readonly clients = buildClients(
    definitions,
    [{ id: 'reports', audience: 'https://reports.example' }],
    new Secrets(),
    {
      accessTokenMs: 5 * minute,
      refreshTokenMs: 60 * minute,
    },
  )
  readonly session = sessionRecord({
    id: 'session',
    subject: 'alice',
    keptUntil: 2_000_000_000_000,
    authenticatedAt: this.now,
  })
  readonly #entries = new Map<string, Entry & { links: string[] }>()
  readonly #records = createRecordReader()

  constructor() {
    for (const id of ['web', 'other']) this.changeClient(id, {})
    this.changeSubject({})
    this.apply({ ...beginCommit({ commitId: this.id() }, partition), puts: [sessionPut(partition, this.session)] })
  }

  id = (): string => randomBytes(16).toString('hex')

  by = () => ({
    commitId: this.id(),
    asker: { kind: ActorKind.CLIENT, id: 'web', address: '', userAgent: '', traceparent: '' },
    now: this.now,
  })

  client = (id: string) => this.clients.get(id)!

  changeClient(id: string, over: Partial<ClientRecord>): void {
    const value = ClientRecord.encode({ ...ClientRecord.decode(new Uint8Array()), id, ...over }).finish()
    this.#entries.set(clientKey(partition, id), { key: clientKey(partition, id), value, version: this.id(), links: [] })
  }

  changeSubject(over: Partial<SubjectRecord>): void {
    const key = subjectKey(partition, 'alice')
    const value = SubjectRecord.encode(subjectRecord({ id: 'alice', ...over })).finish()
    this.#entries.set(key, { key, value, version: this.id(), links: [] })
  }

  /** False where a check does not hold. */
  apply({ id, checks, puts, deletes }: Commit): boolean {
    if (checks.some(({ key, version }) => (this.#entries.get(key)?.version ?? null) !== version)) return false
    for (const { key, value, links = [] } of puts) this.#entries.set(key, { key, value, links, version: id })
    for (const key of deletes) this.#entries.delete(key)
    return true
  }

  /** What is held of a token; the token must be one. */
  held(token: string) {
    const parsed = this.format.parse(token)!
    const entry = this.#entries.get(tokenKey(parsed.partition, parsed.recordDigest))!
    const linked = entry.links.flatMap((key) => this.#entries.get(key) ?? [])
    return { parsed, held: this.#records.held([entry, ...linked]) }
  }

  /** A code that alice gave an application. */
  code(over: Partial<AuthorizationRecord> = {}, scope = 'openid read write'): string {
    const commit = beginCommit({ commitId: this.id() }, partition)
    const request = { ...AuthorizationRecord.decode(new Uint8Array()), redirectUri, redirectNamed: true, ...over }
    const agreed = { client: this.client('web'), subject: 'alice', session: this.session, scope }
    const grant = grantOf(
      { ...agreed, audience: ['https://reports.example'], claims: '', origin: 'authorization_code', toldSubject: '' },
      this.id(),
      this.now,
    )
    const terms = { request: { ...request, codeChallenge: over.codeChallenge ?? challenge }, grant, isAgreed: true }
    const epochs = { clientEpoch: 0, subjectEpoch: 0 }
    const code = addCode(commit, { ...terms, ...epochs }, this.format, randomBytes(32), minute, this.by())
    this.apply(commit)
    return code
  }

  redeem(code: string, over: Partial<CodeRedemption> = {}) {
    const redemption = { ...this.held(code), client: this.client('web'), redirectUri, codeVerifier: verifier }
    const secrets = { access: randomBytes(32), refresh: randomBytes(32) }
    return redeemCode({ ...redemption, confirmation: undefined, ...over }, this.format, secrets, this.by())
  }

  /** Tokens of a new grant. */
  tokens(over: Partial<AuthorizationRecord> = {}, scope?: string) {
    const redeemed = this.redeem(this.code(over, scope))
    if (redeemed.kind !== 'redeemed') throw new Error('the code was used')
    this.apply(redeemed.commit)
    return { access: redeemed.access.opaque!, refresh: redeemed.refreshToken!, grant: redeemed.grant }
  }

  endSession(): void {
    const key = sessionKey(partition, this.session.id)
    const put = sessionPut(partition, { ...this.session, endedAt: this.now })
    this.#entries.set(key, { ...put, version: this.id() })
  }
}
