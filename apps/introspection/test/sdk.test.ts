import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { createVerifier, Failure, type Verifier, type VerifierOptions } from '@countersign/sdk'
import {
  freePort,
  MainJob,
  startEmbedded,
  startProxy,
  temporaryFolder,
  until,
  type Embedded,
  type Proxy,
} from '@countersign/servers'

const boundMs = 1_000
const verifiers: Verifier[] = []
const made = (options: VerifierOptions): Verifier => {
  const verifier = createVerifier({ log: { info: () => undefined, warn: () => undefined }, ...options })
  verifiers.push(verifier)
  return verifier
}
afterEach(() => verifiers.splice(0).forEach((verifier) => verifier.close()))

const refused = { ok: false, error: 'invalid_token' }
/** What came of a question: a verdict, or the reason why there is none. */
const outcomeOf = (verifier: Verifier, token: string): Promise<string> =>
  verifier.verify(token).then(
    ({ ok }) => (ok ? 'active' : 'not active'),
    (thrown: unknown) => (thrown instanceof Failure ? thrown.code : `${thrown}`),
  )

describe('the SDK', () => {
  let embedded: Embedded
  let job: MainJob
  const verifierOf = (options: VerifierOptions = {}): Verifier => {
    const credentials = { clientId: 'reports-api', clientSecret: embedded.secrets['reports-api'] }
    return made({ target: embedded.grpcTarget, credentials, maxStalenessMs: boundMs, ...options })
  }
  const watching = async (options?: VerifierOptions): Promise<Verifier> => {
    const verifier = verifierOf(options)
    await until(() => verifier.stats().isWatching)
    return verifier
  }

  beforeAll(async () => {
    embedded = await startEmbedded({
      clients: ['{ id: poster, secret: poster-secret-poster-secret, grants: [client_credentials], audience: [mail] }'],
    })
    job = new MainJob(embedded)
  })
  afterAll(() => embedded?.stop())
  let replicas: Proxy[] = []
  afterEach(() => Promise.all(replicas.splice(0).map((replica) => replica.stop())))

  test('tells what a token is good for, and keeps the answer', async () => {
    const verifier = await watching()
    const token = await job.token()
    const verification = await verifier.verify(token, { scopes: ['read:reports'], audience: 'https://reports.example' })
    expect(verification).toMatchObject({
      ok: true,
      token: {
        subject: 'batch',
        clientId: 'batch',
        scopes: new Set(['read:reports']),
        audience: ['https://reports.example'],
        issuer: embedded.issuerUrl,
        isAnonymous: false,
      },
    })
    expect(await verifier.verify(token, { scopes: ['write:reports'] })).toMatchObject({
      ok: false,
      error: 'insufficient_scope',
    })
    expect(await verifier.verify(token, { audience: 'https://mail.example' })).toMatchObject(refused)
    expect(await verifier.verify(token, { roles: ['admin'] })).toMatchObject({ ok: false, error: 'insufficient_scope' })
    const made = `${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}`
    expect(await verifier.verify(made)).toMatchObject(refused)
    expect(await verifier.verify(made)).toMatchObject(refused)
    expect(verifier.stats()).toMatchObject({ hits: 4, questions: 2, entries: 1, negativeEntries: 1 })
  })

  test('knows nothing of tokens that are meant for others', async () => {
    const verifier = await watching()
    const posted = await job.issueTo('poster', 'poster-secret-poster-secret')
    expect(await verifier.verify(posted.json<{ access_token: string }>().access_token)).toMatchObject(refused)
  })

  test('answers a thousand questions at once', async () => {
    const verifier = await watching()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => job.token()))
    const verdicts = await Promise.all(Array.from({ length: 1_000 }, (_, n) => verifier.verify(tokens[n % 20]!)))
    expect(verdicts.every(({ ok }) => ok)).toBe(true)
    expect(verifier.stats()).toMatchObject({ questions: 20, messages: 1 })
  })

  test('refuses a revoked token as soon as it hears of it, and within the bound in any case', async () => {
    const verifier = await watching()
    const [token, other] = [await job.token(), await job.token()]
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    expect(await verifier.verify(other)).toMatchObject({ ok: true })
    const { questions } = verifier.stats()
    await job.revoke(token)
    const revokedMs = performance.now()
    for (;;) {
      const begunMs = performance.now()
      const { ok } = await verifier.verify(token)
      if (!ok) break
      expect(begunMs - revokedMs).toBeLessThan(boundMs)
      await sleep(1)
    }
    expect(await verifier.verify(other)).toMatchObject({ ok: true })
    // It was told: it did not have to ask.
    expect(verifier.stats()).toMatchObject({ questions, facts: 1, flushes: 0 })
  })

  test('answers from no older view than a receipt says', async () => {
    const verifier = await watching()
    const token = await job.token()
    await verifier.verify(token)
    const { headers } = await job.revoke(token)
    const minRevision = headers['countersign-revision'] as string
    expect(minRevision).toMatch(/^0:[0-9a-f]+:\d+$/)
    expect(await verifier.verify(token, { minRevision })).toMatchObject(refused)
  })

  test('asks each time when no staleness is allowed', async () => {
    const verifier = verifierOf({ maxStalenessMs: 0 })
    const token = await job.token()
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    await job.revoke(token)
    expect(await verifier.verify(token)).toMatchObject(refused)
    expect(verifier.stats()).toMatchObject({ questions: 2, hits: 0, isWatching: false })
  })

  test('gives no verdict to whoever cannot prove who they are', async () => {
    const verifier = verifierOf({ credentials: { clientId: 'reports-api', clientSecret: 'wrong' } })
    await expect(verifier.verify(await job.token())).rejects.toMatchObject({ code: 'invalid_client' })
    expect(verifier.stats().isWatching).toBe(false)
  })

  test('gives no wrong verdict while the service is killed, and goes on by itself once it is back', async () => {
    const verifier = await watching()
    const [live, revoked] = [await job.token(), await job.token()]
    await Promise.all([verifier.verify(live), verifier.verify(revoked)])
    await job.revoke(revoked)
    await until(async () => (await outcomeOf(verifier, revoked)) === 'not active')
    const outcomes: Record<string, Set<string>> = { live: new Set(), revoked: new Set() }
    let isOver = false
    const watch = async () => {
      while (!isOver) {
        outcomes.live!.add(await outcomeOf(verifier, live))
        outcomes.revoked!.add(await outcomeOf(verifier, revoked))
        await sleep(5)
      }
    }
    const watched = watch()
    await embedded.process.kill()
    await until(() => outcomes.live!.has('unavailable') && outcomes.revoked!.has('unavailable'))
    await embedded.process.start()
    await until(async () => (await outcomeOf(verifier, live)) === 'active')
    await until(() => verifier.stats().isWatching)
    isOver = true
    await watched
    expect(outcomes.live!.has('not active')).toBe(false)
    expect(outcomes.revoked!.has('active')).toBe(false)
    expect(await outcomeOf(verifier, revoked)).toBe('not active')
    const { hits } = verifier.stats()
    await until(async () => (await outcomeOf(verifier, live)) === 'active' && verifier.stats().hits > hits)
  })

  test.each(['localhost:PORT', 'dns:///localhost:PORT', 'ipv4:127.0.0.1:DEAD,127.0.0.1:PORT'])(
    'finds the service at %s',
    async (target) => {
      const port = embedded.grpcTarget.split(':')[1]!
      const verifier = await watching({
        target: target.replace('PORT', port).replace('DEAD', String(await freePort())),
      })
      for (let n = 0; n < 10; n++) expect(await verifier.verify(await job.token())).toMatchObject({ ok: true })
    },
  )

  test('leaves a replica that stands still for another one', async () => {
    const port = Number(embedded.grpcTarget.split(':')[1])
    replicas = [await startProxy(port), await startProxy(port)]
    const target = `ipv4:${replicas.map((replica) => `127.0.0.1:${replica.port}`).join(',')}`
    const verifier = verifierOf({ target, maxStalenessMs: 0, deadlineMs: 500 })
    const token = await job.token()
    await until(async () => (await outcomeOf(verifier, token)) === 'active')
    for (const replica of replicas) {
      replica.hold('both')
      await until(async () => (await outcomeOf(verifier, token)) === 'active')
      replica.release()
    }
  })
})

describe('the SDK over mutual TLS', () => {
  const [ours, other] = [new TestAuthority(), new TestAuthority()]
  const folder = temporaryFolder('sdk-certificates')
  let embedded: Embedded
  let token: string

  beforeAll(async () => {
    const { cert, key } = ours.issue('introspection')
    const files = { 'server.pem': cert, 'server.key': key, 'ca.pem': ours.ca }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
    embedded = await startEmbedded({
      config: `grpc: { cert: ${folder}/server.pem, key: ${folder}/server.key, client_ca: ${folder}/ca.pem }`,
      clients: ['{ id: mesh, tls_client_auth_subject_dn: CN=mesh, introspect: [reports] }'],
    })
    token = await new MainJob(embedded).token()
  })
  afterAll(async () => {
    await embedded?.stop()
    for (const authority of [ours, other]) authority.remove()
  })

  test('a certificate says who asks, and hears of revocations', async () => {
    const { cert, key } = ours.issue('mesh')
    const verifier = made({ target: embedded.grpcTarget, tls: { ca: ours.ca.toString(), cert, key: key.toString() } })
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
    await until(() => verifier.stats().isWatching)
  })

  test('credentials do as well', async () => {
    const credentials = { clientId: 'reports-api', clientSecret: embedded.secrets['reports-api'] }
    const verifier = made({ target: embedded.grpcTarget, credentials, tls: { ca: ours.ca } })
    expect(await verifier.verify(token)).toMatchObject({ ok: true })
  })

  test('a certificate of another authority is nobody’s, and a server of another is not believed', async () => {
    const stranger = made({ target: embedded.grpcTarget, tls: { ca: ours.ca, ...other.issue('mesh') } })
    expect(await outcomeOf(stranger, token)).toBe('invalid_client')
    const wary = made({ target: embedded.grpcTarget, tls: { ca: other.ca, ...ours.issue('mesh') } })
    expect(await outcomeOf(wary, token)).toBe('unavailable')
  })
})
