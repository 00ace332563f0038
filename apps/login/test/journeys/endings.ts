import { expect } from '@jest/globals'
import { performance } from 'node:perf_hooks'
import { MainJob, until, type AuditEvent } from '@countersign/servers'
import { claimsOf } from '../testing/application.ts'
import { Callers } from '../testing/callers.ts'
import { authorize, password, signInLocally, type Journey, type World } from '../testing/journey.ts'

const firefox = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0'

async function everywhere(world: World): Promise<void> {
  const loginName = world.name()
  const ann = await world.invited(loginName)
  const elsewhere = await world.person()
  await elsewhere.go('/login')
  await signInLocally(elsewhere, loginName)
  const web = world.application('web')
  const opaque = await authorize(ann, web)
  const signed = await authorize(elsewhere, world.application('signed'))
  const callers = await Callers.start(world.setting, [opaque.access_token, signed.access_token])
  const kept = await ann.cookies()
  await ann.go('/account/sessions')
  await ann.press('Sign out everywhere')
  expect(await ann.heading()).toBe('Sign out everywhere?')
  await ann.press('Sign out everywhere')
  expect(await callers.refused(ann.answeredMs)).toEqual([])
  expect(await ann.heading()).toBe('You are signed out')
  expect((await web.refresh(opaque.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' })
  expect((await world.application('signed').refresh(signed.refresh_token)).status).toBe(400)
  // Cookies that somebody has kept are nobody's.
  await ann.remember(kept)
  for (const person of [ann, elsewhere]) {
    await person.go('/account')
    expect(await person.heading()).toBe('Sign in')
  }
  await signInLocally(ann, loginName)
  expect(await ann.heading()).toBe('Your account')
}

async function devices(world: World): Promise<void> {
  const loginName = world.name()
  const ann = await world.invited(loginName)
  const other = await world.person()
  await other.page.setUserAgent({ userAgent: firefox })
  await other.go('/login')
  await signInLocally(other, loginName)
  await ann.go('/account/sessions')
  expect(await ann.text()).toMatch(/Firefox on macOS/)
  await ann.press('Sign out: Firefox, macOS, 127.0.0.1')
  expect(await ann.text()).toContain('That device is signed out.')
  expect(await ann.text()).not.toContain('Firefox')
  await other.go('/account')
  expect(await other.heading()).toBe('Sign in')
  await ann.go('/account')
  expect(await ann.heading()).toBe('Your account')
}

interface Journaled extends AuditEvent {
  actor?: { kind?: string; address?: string; user_agent?: string }
}

/** From where somebody came; that of operators is kept. */
const placesIn = ({ kind, address, user_agent: userAgent }: Journaled['actor'] = {}): string[] =>
  kind === 'operator' ? [] : [address, userAgent].filter((each) => each !== undefined)

async function deleted(world: World): Promise<void> {
  const { setting } = world
  const loginName = world.name()
  const ann = await world.invited(loginName)
  const web = world.application('web')
  const tokens = await authorize(ann, web)
  const id = claimsOf(tokens.id_token).sub as string
  const job = new MainJob(setting.at)
  const journaled = async () => (await job.events(`&subject=${id}`)) as readonly Journaled[]
  const places = async () => (await journaled()).flatMap(({ actor }) => placesIn(actor))
  await until(async () => (await places()).some((place) => place.includes('Chrome')), 60_000)
  const callers = await Callers.start(setting, [tokens.access_token])
  await setting.accounts.calls.deleteAccount({ account: { name: { $case: 'loginName', value: loginName } } })
  expect(await callers.refused(performance.now())).toEqual([])
  expect((await web.refresh(tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' })
  await ann.go('/account')
  expect(await ann.heading()).toBe('Sign in')
  await signInLocally(ann, loginName, password)
  expect(ann.status).toBe(401)
  const found = setting.accounts.calls.listAccounts({ search: loginName, pageSize: 10, pageToken: '' })
  expect((await found).accounts).toEqual([])
  await until(async () => (await journaled()).some(({ type }) => type === 'account.deleted'), 60_000)
  await until(async () => (await places()).length === 0, 60_000)
  const types = (await journaled()).map(({ type }) => type)
  expect(types).toEqual(expect.arrayContaining(['account.invited', 'session.started', 'token.issued']))
}

export const endingJourneys: readonly Journey[] = [
  {
    name: 'after signing out everywhere every token is refused within the bound, and old cookies are nobody’s',
    go: everywhere,
  },
  { name: 'another device is signed out from the list of devices', go: devices },
  { name: 'a deleted account has no token within the bound, and the journal forgets from where it came', go: deleted },
]
