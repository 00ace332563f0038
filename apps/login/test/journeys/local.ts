import { expect } from '@jest/globals'
import { setupTokenFrom } from '@countersign/assembly'
import { Secret, TOTP } from 'otpauth'
import { claimsOf } from '../testing/application.ts'
import { authorize, firstLoginName, password, signInLocally, type Journey, type World } from '../testing/journey.ts'
import type { Person } from '../testing/person.ts'

const stepMs = 30_000

/** How the person signed in that is signed in (RFC 8176). */
const methodsOf = async (world: World, person: Person): Promise<unknown> =>
  claimsOf((await authorize(person, world.application('web'))).id_token).amr

async function setUp(world: World): Promise<void> {
  const person = await world.person()
  await person.go('/login')
  await signInLocally(person, firstLoginName, 'not this one, surely')
  expect(person.status).toBe(401)
  expect(await person.text()).toContain('The login name or the password is not right.')
  await signInLocally(person, firstLoginName)
  expect(await person.text()).toContain('You are signed in')
  expect(await methodsOf(world, person)).toEqual(['pwd'])

  await person.go('/account')
  expect(await person.text()).toContain('fay@example.org')
  await person.go(`/setup?token=${setupTokenFrom(Buffer.from(world.setting.at.masterKey))}`)
  expect([person.status, await person.heading()]).toEqual([404, 'This page is gone'])
}

async function changed(world: World): Promise<void> {
  const loginName = world.name()
  const ann = await world.invited(loginName)
  const elsewhere = await world.person()
  await elsewhere.go('/login')
  await signInLocally(elsewhere, loginName)
  const change = async (current: string, chosen: string) => {
    await ann.go('/account/password')
    const chosenTwice = { 'New password': chosen, 'New password again': chosen }
    await ann.fill({ 'Current password': current, ...chosenTwice })
    await ann.press('Change the password')
  }
  await change('not this one, surely', 'eleven quiet rivers')
  expect(ann.status).toBe(401)
  await change(password, 'password1234')
  expect(ann.status).toBe(400)
  expect(await ann.text()).toContain('easy to guess')
  await change(password, 'eleven quiet rivers')
  expect(await ann.text()).toContain('Your password was changed, and you are signed out everywhere else.')
  await elsewhere.go('/account')
  expect(await elsewhere.heading()).toBe('Sign in')
}

async function reset(world: World): Promise<void> {
  const loginName = world.name()
  const ann = await world.invited(loginName)
  const chosen = 'a wholly other password'
  const forgetful = await world.person()
  await forgetful.go('/login')
  await forgetful.press('Forgot your password?', 'link')
  await forgetful.fill({ 'Login name': loginName })
  await forgetful.press('Send the link')
  expect(await forgetful.heading()).toBe('Look into your mail')
  const link = await world.linkMailed(`${loginName}@example.org`, '/login/password?token=')
  await forgetful.go(link)
  await forgetful.fill({ 'New password': chosen, 'New password again': 'mistyped twice over' })
  await forgetful.press('Change the password')
  expect(forgetful.status).toBe(400)
  await forgetful.fill({ 'New password': chosen, 'New password again': chosen })
  await forgetful.press('Change the password')
  expect(await forgetful.text()).toContain('You are signed in')

  // Whoever was signed in no longer is, the link is good once, and the old password is no more.
  await ann.go('/account')
  expect(await ann.heading()).toBe('Sign in')
  await signInLocally(ann, loginName, password)
  expect(ann.status).toBe(401)
  await signInLocally(ann, loginName, chosen)
  expect(await ann.heading()).toBe('Your account')
  await ann.go(link)
  expect(ann.status).toBe(404)
}

/** @returns what the app shows, now or some steps later, and the recovery codes */
async function addAuthenticator(person: Person): Promise<{ code: (later?: number) => string; recovery: string[] }> {
  await person.go('/account/second-factor')
  await person.press('Set up an authenticator app')
  await person.fill({ 'Current password': password })
  await person.press('Continue')
  const totp = new TOTP({ secret: Secret.fromBase32((await person.read('p.code')).replaceAll(' ', '')) })
  const code = (later = 0) => totp.generate({ timestamp: Date.now() + later * stepMs })
  await person.fill({ Code: '000 000' })
  await person.press('Turn it on')
  expect(person.status).toBe(401)
  await person.fill({ Code: code() })
  await person.press('Turn it on')
  const recovery = (await person.read('pre')).trim().split('\n')
  await person.press('I have kept them', 'link')
  return { code, recovery }
}

async function secondFactor(world: World): Promise<void> {
  const loginName = world.name()
  const ann = await world.invited(loginName)
  const { code, recovery } = await addAuthenticator(ann)
  expect(recovery.length).toBeGreaterThan(5)
  expect(await ann.text()).toContain(`Left: ${recovery.length}`)

  const begin = async () => {
    const person = await world.person()
    await person.go('/login?return_to=/account/second-factor')
    await signInLocally(person, loginName)
    expect(await person.heading()).toBe('Show that it is you')
    return person
  }
  const withCode = await begin()
  // The code that turned it on is used up; clocks may differ by a step.
  await withCode.fill({ Code: code(1) })
  await withCode.press('Continue')
  expect(withCode.url.pathname).toBe('/account/second-factor')
  expect(await methodsOf(world, withCode)).toEqual(['pwd', 'otp', 'mfa'])

  const withRecovery = async () => {
    const person = await begin()
    await person.unfold('Use a recovery code instead')
    await person.fill({ 'Recovery code': recovery[0]! })
    await person.pressLast('Continue')
    return person
  }
  const once = await withRecovery()
  expect(await once.text()).toContain(`Left: ${recovery.length - 1}`)
  const twice = await withRecovery()
  expect(twice.status).toBe(401)
  expect(await twice.text()).toContain('was used already')
  await twice.go('/account')
  expect(await twice.heading()).toBe('Sign in')

  const confirmed = async (what: string, button: string) => {
    await once.go('/account/second-factor')
    await once.press(what)
    await once.fill({ 'Current password': password })
    await once.press(button)
  }
  await confirmed('Make new recovery codes', 'Make new recovery codes')
  expect(await once.text()).not.toContain(recovery[1])
  await confirmed('Remove: Authenticator app', 'Remove')
  expect(await once.text()).toContain('The authenticator app was removed.')
  await signInLocally(twice, loginName)
  expect(await twice.heading()).toBe('Your account')
}

export const localJourneys: readonly Journey[] = [
  { name: 'whoever set it up signs in with the password; the link is gone', go: setUp },
  { name: 'a password is changed, and ends what it had begun elsewhere', go: changed },
  { name: 'a forgotten password is chosen anew by a link that is mailed', go: reset },
  { name: 'a second factor is asked for, and a recovery code stands in for it once', go: secondFactor },
]
