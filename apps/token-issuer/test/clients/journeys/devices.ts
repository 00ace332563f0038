import { expect } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { Visitor } from '@countersign/servers'
import { letIn } from '../person.ts'
import { everything, heardOf, type Journey, type World } from './journey.ts'

/** Polls far too often: it is told to slow down, and has its tokens once the person has let it in. */
async function impatient(world: World): Promise<void> {
  const television = await world.application('television')
  const device = await television.device({ scope: everything }, 0.4)
  const begunMs = performance.now()
  const polling = device.poll()
  polling.catch(() => undefined)
  const visitor = new Visitor(world.setting.issuerUrl)
  await sleep(1_500)
  expect(await letIn(visitor, device.verificationUri, device.userCode)).toContain('Your device is connected')
  const { accessToken, refreshToken, claims, scope } = await polling
  // It was let in within two seconds, but had been told to wait for five more.
  expect(performance.now() - begunMs).toBeGreaterThan(5_000)
  expect(scope).toBe(everything)
  expect(await television.userinfo(accessToken, claims!.sub as string)).toMatchObject({ email: 'alice@example.org' })
  expect(await heardOf(world, accessToken)).toMatchObject({ active: true, client_id: 'television' })
  expect(await television.refresh(refreshToken!)).toMatchObject({ scope: everything })
}

async function denied(world: World): Promise<void> {
  const television = await world.application('television')
  const device = await television.device({ scope: 'read:reports' }, 0.1)
  const visitor = new Visitor(world.setting.issuerUrl)
  await letIn(visitor, device.verificationUri, (await television.device({ scope: 'openid' })).userCode)
  await visitor.go(`${device.verificationUri}?user_code=${device.userCode}`)
  await visitor.submit({ decision: 'deny' })
  expect(visitor.reply.text).toContain('Your device was not let in')
  await expect(device.poll()).rejects.toMatchObject({ error: 'access_denied' })
}

export const deviceJourneys: readonly Journey[] = [
  ['has no keyboard, polls too often, and is let in', impatient],
  ['has no keyboard, and is not let in', denied],
]
