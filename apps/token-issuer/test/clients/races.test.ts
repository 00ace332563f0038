import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { MainJob, redisCli, until } from '@countersign/servers'
import { startReplicas, type Answer, type Replica, type Replicas } from './replicas.ts'

const rounds = 100
const atOnce = 100

let replicas: Replicas
beforeAll(async () => (replicas = await startReplicas()), 120_000)
afterAll(() => replicas?.stop())

/** All at once, in turn at one replica and at the other. */
const everywhere = (count: number, ask: (replica: Replica, n: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => ask(n % 2 === 0 ? replicas.first : replicas.second, n)))

/** How many answers there were of each kind: no token is told. */
function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const kind = `${status} ${String(body.error ?? '')}`.trim()
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

const tokenIn = ({ body }: Answer, name: 'access_token' | 'refresh_token'): string => body[name] as string

async function isAlive(answer: Answer): Promise<boolean> {
  const uses = [replicas.first, replicas.second].flatMap((replica) => [
    replica.isGood(tokenIn(answer, 'access_token')),
    replica.refresh(tokenIn(answer, 'refresh_token')).then(({ status }) => status === 200),
  ])
  return (await Promise.all(uses)).includes(true)
}

/** What the journal has come to say of an access token. */
async function toldOf(accessToken: string): Promise<string[]> {
  const job = new MainJob(replicas.stack)
  const fingerprint = hash('sha256', accessToken, 'base64url').slice(0, 22)
  await until(async () => (await job.events(`&token_fingerprint=${fingerprint}`)).length > 0)
  return (await job.events(`&token_fingerprint=${fingerprint}`)).map(({ type }) => type)
}

test(`of ${atOnce} redemptions of a code at once, one succeeds and what it got ends, ${rounds} times`, async () => {
  for (const code of await replicas.codes(rounds)) {
    const answers = await everywhere(atOnce, (replica) => replica.redeem(code))
    expect(tally(answers)).toEqual({ 200: 1, '400 invalid_grant': atOnce - 1 })
    expect(await isAlive(answers.find(({ status }) => status === 200)!)).toBe(false)
  }
}, 120_000)

test(`${atOnce} refreshes of a token at once get the very same successors, ${rounds} times`, async () => {
  const [code] = await replicas.codes(1)
  let last = await replicas.first.redeem(code!)
  for (let round = 0; round < rounds; round++) {
    const presented = tokenIn(last, 'refresh_token')
    const answers = await everywhere(atOnce, (replica, n) =>
      replica.refresh(presented, n % 4 < 2 ? undefined : 'openid'),
    )
    expect(tally(answers)).toEqual({ 200: atOnce })
    // Also those that asked for less than the first got what the first got.
    for (const name of ['access_token', 'refresh_token', 'scope']) {
      expect(new Set(answers.map(({ body }) => body[name])).size).toBe(1)
    }
    expect(tokenIn(answers[0]!, 'refresh_token') === presented).toBe(false)
    last = answers[0]!
  }
  expect(await replicas.second.isGood(tokenIn(last, 'access_token'))).toBe(true)
  expect(await toldOf(tokenIn(last, 'access_token'))).toEqual(['token.refreshed'])
}, 120_000)

test(`nothing survives a revocation among refreshes, ${rounds} times`, async () => {
  let refreshed = 0
  for (const [round, code] of (await replicas.codes(rounds)).entries()) {
    const first = await replicas.first.redeem(code)
    const token = tokenIn(first, 'refresh_token')
    const count = 10
    const answers = await everywhere(count, (replica, n) =>
      n === round % count ? replica.revoke(token) : replica.refresh(token),
    )
    const revoked = answers.splice(round % count, 1)
    expect(tally(revoked)).toEqual({ 200: 1 })
    const given = answers.filter(({ status }) => status === 200)
    expect(tally(answers.filter(({ status }) => status !== 200))).toEqual(
      given.length === count - 1 ? {} : { '400 invalid_grant': count - 1 - given.length },
    )
    refreshed += given.length
    // All that were refreshed got the same.
    for (const answer of [first, ...given.slice(0, 1)]) expect(await isAlive(answer)).toBe(false)
  }
  // The race was one: some came before the revocation, and some after it.
  expect(refreshed).toBeGreaterThan(0)
  expect(refreshed).toBeLessThan(rounds * 9)
}, 120_000)

/** Records of tokens in the store. */
const tokenRecords = (): number =>
  redisCli(replicas.stack.redis.port, '--raw', 'KEYS', '*token/*').split('\n').filter(Boolean).length

test('a replica that is killed between a rotation and its answer does not keep the successor from the client', async () => {
  for (const code of await replicas.codes(2)) {
    const first = await replicas.second.redeem(code)
    const presented = tokenIn(first, 'refresh_token')
    const before = tokenRecords()
    // What the store says comes late: the replica has committed, and does not know it yet.
    replicas.toStore.delay(0, 1_000)
    const lost = replicas.second.refresh(presented).catch(() => 'lost')
    await until(() => tokenRecords() > before)
    await replicas.secondProcess.kill()
    const killedAtMs = Date.now()
    expect(await lost).toBe('lost')
    replicas.toStore.delay(0, 0)
    await replicas.secondProcess.start()
    await sleep(Math.max(0, killedAtMs + 1_500 - Date.now()))

    const answers = await everywhere(4, (replica) => replica.refresh(presented))
    expect(tally(answers)).toEqual({ 200: 4 })
    expect(new Set(answers.map(({ body }) => `${body.access_token} ${body.refresh_token}`)).size).toBe(1)
    expect(tokenRecords()).toBe(before + 1)
    // It is the one that was committed before the end, and not another.
    const seconds = answers.map(({ body }) => body.expires_in as number)
    expect(Math.max(...seconds)).toBeLessThan(first.body.expires_in as number)
    expect(await replicas.first.isGood(tokenIn(answers[0]!, 'access_token'))).toBe(true)
    expect(await toldOf(tokenIn(answers[0]!, 'access_token'))).toEqual(['token.refreshed'])
  }
}, 60_000)
