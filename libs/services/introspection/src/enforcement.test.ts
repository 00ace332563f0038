import { beforeEach, describe, expect, test } from '@jest/globals'
import express from 'express'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { asFailure } from '@countersign/contracts'
import type { RevocationStatus } from './revocations.ts'
import type { IntrospectionService } from './service.ts'
import { basicAuthorization } from './testing/basic.ts'
import { World } from './testing/world.ts'

let world: World
let service: IntrospectionService

beforeEach(async () => {
  world = new World()
  await world.prepare()
  service = world.service()
  await world.pass(1_250)
})

async function status(revision: string, who = 'operator'): Promise<{ status: number; body: RevocationStatus }> {
  const application = express().use(...service.routers)
  const refuse: express.ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(asFailure(error).code === 'not_found' ? 404 : 400).json({})
  }
  application.use(refuse)
  const server = createServer(application).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const headers = { authorization: basicAuthorization(who, `${who}-secret`) }
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/revocations/${revision}`, { headers })
    return { status: answer.status, body: (await answer.json()) as RevocationStatus }
  } finally {
    server.close()
  }
}

describe('how far a revocation has come', () => {
  test('is told of this replica, and of the caches that watch it', async () => {
    const [quick, slow] = [world.watch(service), world.watch(service)]
    for (const [n, watch] of [quick, slow].entries()) {
      watch.hello(1_000, `cache ${n}`)
      watch.probe(1)
    }
    await world.pass(250)
    const push = await world.revoke(await world.issue())
    world.announce(push)
    await world.pass(4)
    quick.applied(push.revision)
    expect((await status(push.revision)).body).toEqual({
      revision: push.revision,
      enforced: false,
      caches: 3,
      applied: 2,
      lapsed: 0,
      slowest_ms: 4,
      silent: [{ name: 'cache 1', client_id: 'api', address: '127.0.0.1', silent_ms: 4, replica: 'one' }],
      replicas: ['one'],
    })
    await world.pass(3)
    slow.applied(push.revision)
    expect((await status(push.revision)).body).toMatchObject({ enforced: true, applied: 3, slowest_ms: 7, silent: [] })
  })

  test('counts a cache that has gone silent as lapsed once its lease has run out, and not before', async () => {
    const watch = world.watch(service)
    watch.hello()
    watch.probe(1)
    await world.pass(250)
    const push = await world.revoke(await world.issue())
    world.announce(push)
    watch.close()
    expect((await status(push.revision)).body).toMatchObject({ enforced: false, caches: 2, lapsed: 0 })
    await world.pass(990)
    expect((await status(push.revision)).body).toMatchObject({ enforced: false })
    await world.pass(30)
    expect((await status(push.revision)).body).toMatchObject({ enforced: true, caches: 1 })
  })

  test('is not enforced by a replica that has not heard of it and may still answer', async () => {
    const push = await world.revoke(await world.issue())
    expect((await status(push.revision)).body).toMatchObject({ enforced: false, applied: 0 })
    await world.pass(250)
    expect((await status(push.revision)).body).toMatchObject({ enforced: true, applied: 1 })
  })

  test('is summed up over the replicas', async () => {
    const other = world.service({ replica: 'two' })
    await world.pass(1_100)
    const push = await world.revoke(await world.issue())
    world.announce(push)
    expect((await status(push.revision)).body).toMatchObject({ enforced: true, caches: 2, replicas: ['one', 'two'] })
    await other.close()
  })

  test('is not said of a replica that has just started: who watched it before may still answer', async () => {
    const other = world.service({ replica: 'two' })
    await world.pass(900)
    const push = await world.revoke(await world.issue())
    world.announce(push)
    expect((await status(push.revision)).body).toMatchObject({ enforced: false, applied: 2, silent: [] })
    await world.pass(200)
    expect((await status(push.revision)).body).toMatchObject({ enforced: true })
    await other.close()
  })

  test('counts a replica once, however often the bus brings its answer', async () => {
    for (const handler of [...world.surveyed]) world.surveyed.add((question) => handler(question))
    const push = await world.revoke(await world.issue())
    world.announce(push)
    expect((await status(push.revision)).body).toMatchObject({ caches: 1, applied: 1, replicas: ['one'] })
  })

  test('names the silent to those who may read the audit journal only', async () => {
    const watch = world.watch(service)
    watch.hello()
    watch.probe(1)
    await world.pass(250)
    const push = await world.revoke(await world.issue())
    world.announce(push)
    expect((await status(push.revision, 'api')).body.silent).toEqual([{ silent_ms: 0 }])
  })

  test('is not told of what is no revision, or none of this store', async () => {
    expect((await status('nonsense')).status).toBe(400)
    expect((await status('0:ffffffffffffffff:1')).status).toBe(404)
  })
})
