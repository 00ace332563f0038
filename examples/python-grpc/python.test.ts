import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MainJob, startEmbedded, type Embedded } from '@countersign/servers'

const clientId = 'python-api'
const secret = 'a secret with : and + and é'
let embedded: Embedded
let job: MainJob

beforeAll(async () => {
  embedded = await startEmbedded({ clients: [`{ id: ${clientId}, secret: '${secret}', introspect: [reports] }`] })
  job = new MainJob(embedded)
}, 60_000)
afterAll(() => embedded?.stop())

const program = fileURLToPath(new URL('introspect.py', import.meta.url))
// Debian's own, which has its python3-grpcio, before another on the PATH.
const hasGrpc = (python: string) => spawnSync(python, ['-c', 'import grpc_tools']).status === 0
const python = ['/usr/bin/python3', 'python3'].find(hasGrpc) ?? 'python3'

function introspect(tokens: string[], way: string, given = secret) {
  const env = { ...process.env, COUNTERSIGN_CLIENT_SECRET: given }
  const args = [program, '--target', embedded.grpcTarget, '--client-id', clientId, '--way', way]
  const { stdout, stderr, status } = spawnSync(python, args, { input: tokens.join('\n'), env, encoding: 'utf8' })
  const lines = stdout.split('\n').filter((line) => line !== '')
  return { answers: lines.map((line) => JSON.parse(line) as Record<string, unknown>), stderr, status }
}

test.each(['unary', 'batch', 'stream'])('a Python client asks by %s call, knowing the contract alone', async (way) => {
  const [good, other, revoked] = [await job.token(), await job.token(), await job.token()]
  await job.revoke(revoked)
  const { answers, stderr, status } = introspect([good, 'cs_at_made_up', other, revoked], way)
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(answers).toHaveLength(4)
  expect(answers[0]).toMatchObject({
    active: true,
    client_id: 'batch',
    scope: 'read:reports',
    aud: ['https://reports.example'],
    token_type: 'Bearer',
  })
  expect(answers[1]).toEqual({ active: false })
  expect(answers[2]).toMatchObject({ active: true })
  expect(answers[2]!.jti).not.toBe(answers[0]!.jti)
  expect(answers[3]).toEqual({ active: false })
})

test('a Python client with a wrong secret is told so', async () => {
  const { stderr, status } = introspect([await job.token()], 'unary', 'wrong')
  expect(status).toBe(1)
  expect(stderr).toMatch(/^UNAUTHENTICATED: /)
})
