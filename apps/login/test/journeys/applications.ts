import { expect } from '@jest/globals'
import { everything } from '../testing/application.ts'
import { Callers } from '../testing/callers.ts'
import { authorize, signInLocally, type Journey, type World } from '../testing/journey.ts'

async function consents(world: World): Promise<void> {
  const ann = await world.invited()
  const web = world.application('web')
  const asked = web.begin()
  await ann.go(asked.url)
  const words = ['Web shop', 'Know who you are', 'See your e-mail address', 'See your roles here', 'Read reports']
  for (const each of words) expect(await ann.text()).toContain(each)
  await ann.tick('See your e-mail address')
  await ann.press('Allow')
  const tokens = await web.redeem(asked, ann.url)
  const scope = everything.replace(' email', '')
  expect(tokens.scope).toBe(scope)
  expect(await web.userinfo(tokens)).not.toHaveProperty('email')

  // What was allowed is not asked for again; what was not, is.
  const again = web.begin({ scope })
  await ann.go(again.url)
  expect((await web.redeem(again, ann.url)).scope).toBe(scope)
  await ann.go(web.begin().url)
  expect(await ann.heading()).toBe('Allow access?')
  await ann.press('Deny')
  expect(ann.url.searchParams.get('error')).toBe('access_denied')
}

async function takesBack(world: World): Promise<void> {
  const ann = await world.invited()
  const [web, signed] = [world.application('web'), world.application('signed')]
  const [tokens, others] = [await authorize(ann, web), await authorize(ann, signed)]
  const callers = await Callers.start(world.setting, [tokens.access_token])
  await ann.go('/account/applications')
  expect(await ann.text()).toContain('Read reports')
  await ann.press('Take back: Web shop')
  expect(await callers.refused(ann.answeredMs)).toEqual([])
  expect(await ann.text()).toContain('The application has no access any more.')
  expect(await ann.text()).not.toContain('Web shop')
  expect((await web.refresh(tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' })
  expect(await world.introspected(others.access_token)).toMatchObject({ active: true })
  await ann.go(web.begin().url)
  expect(await ann.heading()).toBe('Allow access?')
}

async function device(world: World): Promise<void> {
  const loginName = world.name()
  await world.invited(loginName)
  const television = world.application('television')
  const [wanted, unwanted] = [await television.device(), await television.device()]
  const person = await world.person()
  await person.go(wanted.verification_uri)
  await person.fill({ Code: 'BCDF-GHJK' })
  await person.press('Continue')
  expect(await person.text()).toContain('No device waits with this code')
  await person.fill({ Code: wanted.user_code })
  await person.press('Continue')
  await signInLocally(person, loginName)
  expect(await person.text()).toContain('Television')
  expect(await person.text()).toContain(wanted.user_code)
  await person.press('Allow')
  expect(await person.heading()).toBe('Your device is connected')
  const { access_token: token } = (await television.poll(wanted)).json<{ access_token: string }>()
  expect(await world.introspected(token)).toMatchObject({ active: true, client_id: 'television', roles: ['member'] })

  await person.go(unwanted.verification_uri_complete)
  await person.press('Deny')
  expect(await person.heading()).toBe('Your device was not let in')
  expect((await television.poll(unwanted)).json()).toMatchObject({ error: 'access_denied' })
}

export const applicationJourneys: readonly Journey[] = [
  { name: 'an application is allowed what somebody leaves ticked, and it is remembered', go: consents },
  { name: 'an application that access is taken back from has none within the bound, and asks again', go: takesBack },
  { name: 'a device without a keyboard is let in, and another is not', go: device },
]
