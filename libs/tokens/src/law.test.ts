import { beforeEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { ActorKind } from '@countersign/contracts/events'
import type { SubjectRecord } from '@countersign/contracts/records'
import { ClientRecord, GrantRecord, TokenKind, TokenRecord } from '@countersign/contracts/records'
import { buildClients } from './build-clients.ts'
import { grantedScope, type Client } from './client.ts'
import { createTokenFormat, tagKeyFrom } from './format.ts'
import { introspect, isLive } from './introspect.ts'
import { issueClientCredentials, type ClientState } from './issue.ts'
import { createRecordReader, sessionRecord, subjectRecord, type Held } from './records.ts'
import { revokeToken } from './revoke.ts'
import { Secrets } from './secret.ts'

const now = 1_800_000_000_000
const minute = 60_000
const format = createTokenFormat(tagKeyFrom(randomBytes(32)))
const asker = { kind: ActorKind.CLIENT, id: 'batch', address: '', userAgent: '', traceparent: '' }
const resources = [
  { id: 'reports', audience: 'https://reports.example' },
  { id: 'mail', audience: 'https://mail.example' },
]
const clients = buildClients(
  [
    { id: 'batch', grants: ['client_credentials'], scopes: ['read', 'write'], audience: ['reports'] },
    { id: 'other', grants: ['client_credentials'] },
    { id: 'web', public: true, grants: ['client_credentials'] },
    { id: 'reports-api', introspect: ['reports'] },
    { id: 'mail-api', introspect: ['mail'] },
    { id: 'gateway', introspect: ['*'] },
  ],
  resources,
  new Secrets(),
  { accessTokenMs: 5 * minute, refreshTokenMs: 60 * minute },
)
const client = (id: string): Client => clients.get(id)!
const version = 'a'.repeat(32)
const clientRecord: ClientRecord = { ...ClientRecord.decode(new Uint8Array()), id: 'batch', epoch: 3 }
const grantRecord: GrantRecord = { ...GrantRecord.decode(new Uint8Array()), id: 'standing.batch', clientId: 'batch' }
const state: ClientState = {
  partition: 7,
  client: { record: clientRecord, version },
  standingGrant: { record: grantRecord, version },
}

const by = (digit: string) => ({ commitId: digit.repeat(32), asker, now })

const issue = (over: { client?: Client; state?: ClientState; scope?: string } = {}) =>
  issueClientCredentials(
    { client: client('batch'), state, scope: undefined, resources: [], confirmation: undefined, ...over },
    format,
    randomBytes(32),
    by('c'),
  )

describe('issuing to a machine', () => {
  test('puts one record with its links, tells one event, and holds the token nowhere but in the answer', () => {
    const { commit, access } = issue()
    expect(access.record).toMatchObject({ scope: 'read write', expiresAt: now + 5 * minute })
    expect(commit.puts).toMatchObject([
      { links: ['7:grant/standing.batch', '7:client/batch'], expiresAt: now + 5 * minute },
    ])
    expect(commit.checks).toEqual([
      { key: '7:client/batch', version },
      { key: '7:grant/standing.batch', version },
    ])
    expect(commit.events).toMatchObject([{ type: 'token.issued', subject: 'batch', scopes: ['read', 'write'] }])
    const everything = JSON.stringify(commit) + Buffer.from(commit.puts[0]!.value).toString('latin1')
    expect(everything).not.toContain(access.opaque!.slice(6, 40))
  })

  test('is refused to a public client and to one without the grant', () => {
    expect(() => issue({ client: client('web') })).toThrow(expect.objectContaining({ code: 'unauthorized_client' }))
    expect(() => issue({ client: client('gateway') })).toThrow(expect.objectContaining({ code: 'unauthorized_client' }))
  })

  test('is refused while the client is disabled or its grant revoked', () => {
    const disabled = { ...state, client: { version, record: { ...clientRecord, disabledAt: 1 } } }
    const revoked = { ...state, standingGrant: { version, record: { ...grantRecord, revokedAt: 1 } } }
    for (const changed of [disabled, revoked]) {
      expect(() => issue({ state: changed })).toThrow(expect.objectContaining({ code: 'invalid_client' }))
    }
  })

  test('gives what was asked for, once each, and never more than is allowed', () => {
    expect(grantedScope(['read', 'write'], 'write write read')).toBe('write read')
    for (const scope of ['admin', 'read admin', 'READ', 'read  write', ' read', 'read\n', 'x'.repeat(5_000)]) {
      expect(() => grantedScope(['read', 'write'], scope)).toThrow(expect.objectContaining({ code: 'invalid_scope' }))
    }
  })

  test('refuses ten thousand scopes in milliseconds', () => {
    const scope = Array.from({ length: 10_000 }, () => 'read').join(' ')
    const before = process.cpuUsage().user
    expect(() => grantedScope(['read'], scope)).toThrow(expect.objectContaining({ code: 'invalid_scope' }))
    expect(process.cpuUsage().user - before).toBeLessThan(100_000)
  })
})

describe('introspecting', () => {
  let held: Held
  let digest: string
  const reader = createRecordReader()

  beforeEach(() => {
    const { commit, access } = issue()
    digest = format.parse(access.opaque!)!.digest
    const { key, value } = commit.puts[0]!
    held = reader.held([
      { key, value, version: commit.id },
      { key: '7:grant/standing.batch', value: GrantRecord.encode(grantRecord).finish(), version },
      { key: '7:client/batch', value: ClientRecord.encode(clientRecord).finish(), version },
    ])
  })

  const withToken = (over: Partial<TokenRecord>): Held => ({
    ...held,
    token: { ...held.token, record: { ...held.token.record, ...over } },
  })
  const withGrant = (over: Partial<GrantRecord>): Held => ({
    ...held,
    grant: { version, record: { ...grantRecord, ...over } },
  })
  const withClient = (over: Partial<ClientRecord>): Held => ({
    ...held,
    clients: [{ version, record: { ...clientRecord, ...over } }],
  })

  test('says what a live token is good for', () => {
    expect(introspect(held, digest, client('reports-api'), now)).toEqual({
      active: true,
      scope: 'read write',
      clientId: 'batch',
      sub: 'batch',
      aud: ['https://reports.example'],
      exp: now / 1_000 + 300,
      iat: now / 1_000,
      jti: digest.slice(0, 22),
      confirmation: undefined,
      actors: [],
      roles: [],
      attributes: [],
    })
    expect(introspect(held, digest, client('gateway'), now).active).toBe(true)
  })

  test('shows a token to nobody outside its audience', () => {
    expect(introspect(held, digest, client('mail-api'), now)).toEqual({ active: false })
    expect(introspect(held, digest, client('batch'), now)).toEqual({ active: false })
  })

  test('ends a token at its expiry, to the millisecond', () => {
    expect(isLive(held, now + 5 * minute - 1)).toBe(true)
    expect(isLive(held, now + 5 * minute)).toBe(false)
  })

  test('ends a token with anything it hangs on, and never takes absence for allowed', () => {
    const { grant: _grant, ...withoutGrant } = held
    const { clients: _clients, ...withoutClient } = held
    const dead = [
      withoutGrant,
      withoutClient,
      withToken({ revokedAt: now - 1 }),
      withGrant({ revokedAt: now - 1 }),
      withClient({ disabledAt: now - 1 }),
      withClient({ epoch: 4 }),
      withGrant({ subject: 'alice' }),
      withGrant({ sessionId: 'session' }),
    ]
    for (const each of dead) expect(isLive(each, now)).toBe(false)
  })

  test("follows a person's subject and session", () => {
    const personal = withGrant({ subject: 'alice', sessionId: 'session' })
    const subject = (over: Partial<SubjectRecord>) => ({
      version,
      record: subjectRecord({ id: 'alice', ...over }),
    })
    const session = sessionRecord({ id: 'session', subject: 'alice', startedAt: 1 })
    expect(isLive({ ...personal, subject: subject({}), session: { version, record: session } }, now)).toBe(true)
    expect(isLive({ ...personal, subject: subject({ epoch: 1 }), session: { version, record: session } }, now)).toBe(
      false,
    )
    expect(
      isLive({ ...personal, subject: subject({ disabledAt: 1 }), session: { version, record: session } }, now),
    ).toBe(false)
    expect(
      isLive({ ...personal, subject: subject({}), session: { version, record: { ...session, endedAt: 1 } } }, now),
    ).toBe(false)
  })

  test('answers for access and API tokens only', () => {
    for (const kind of [
      TokenKind.REFRESH_TOKEN,
      TokenKind.AUTHORIZATION_CODE,
      TokenKind.DEVICE_CODE,
      TokenKind.UNSPECIFIED,
    ]) {
      expect(introspect(withToken({ kind }), digest, client('gateway'), now)).toEqual({ active: false })
    }
  })

  test('is dead once revoked, and the revocation keeps record, links and expiry', () => {
    const parsed = { partition: 7, digest, recordDigest: digest }
    const commit = revokeToken({ held, parsed, client: client('batch') }, by('d'))!
    expect(commit.facts).toEqual([{ kind: 'token', id: digest }])
    expect(commit.events).toMatchObject([{ type: 'token.revoked', reason: 'revoked_by_client' }])
    expect(commit.puts).toMatchObject([
      { expiresAt: now + 5 * minute, links: ['7:grant/standing.batch', '7:client/batch'] },
    ])
    const after = withToken(TokenRecord.decode(commit.puts[0]!.value))
    expect(introspect(after, digest, client('gateway'), now)).toEqual({ active: false })
    expect(revokeToken({ held: after, parsed, client: client('batch') }, by('e'))).toBeUndefined()
  })

  test("leaves another client's token alone", () => {
    const parsed = { partition: 7, digest, recordDigest: digest }
    expect(revokeToken({ held, parsed, client: client('other') }, by('d'))).toBeUndefined()
  })
})
