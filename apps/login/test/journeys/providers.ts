import { expect } from '@jest/globals'
import { claimsOf, everything } from '../testing/application.ts'
import { authorize, confirmAt, password, signInAt, type Journey, type World } from '../testing/journey.ts'
import type { Person } from '../testing/person.ts'

/** Who the person is that is signed in, as a resource server hears of a token of theirs. */
async function standingOf(world: World, person: Person): Promise<Record<string, unknown>> {
  const { access_token: token } = await authorize(person, world.application('web'))
  return world.introspected(token)
}

async function twoProviders(world: World): Promise<void> {
  const name = world.name()
  const [first, second] = [await world.person(), await world.person()]
  const web = world.application('web')
  const one = await authorize(first, web, () => signInAt(first, 'Provider One', name))
  const two = await authorize(second, web, () => signInAt(second, 'Provider Two', name))
  expect(one.scope).toBe(everything)
  expect(await web.userinfo(one)).toMatchObject({ email: `${name}@example.org`, roles: ['editor', 'writers'] })
  expect(await web.userinfo(two)).toMatchObject({ email: `${name}@example.org`, roles: ['auditor'] })
  expect(claimsOf(one.id_token).sub).not.toBe(claimsOf(two.id_token).sub)

  // Both are still signed in, and consents are theirs: nothing is asked.
  const signed = world.application('signed')
  const claims = [first, second].map(async (person) => claimsOf((await authorize(person, signed)).access_token))
  expect(await Promise.all(claims)).toMatchObject([
    { sub: claimsOf(one.id_token).sub, roles: ['editor', 'writers'] },
    { sub: claimsOf(two.id_token).sub, roles: ['auditor'] },
  ])
  const heard = [one, two].map(({ access_token: token }) => world.introspected(token))
  expect(await Promise.all(heard)).toMatchObject([
    { active: true, sub: claimsOf(one.id_token).sub, roles: ['editor', 'writers'] },
    { active: true, sub: claimsOf(two.id_token).sub, roles: ['auditor'] },
  ])
}

async function withoutOpenId(world: World): Promise<void> {
  const name = world.name()
  const { hub } = world.setting
  hub.person = { id: name, email: `${name}@example.org`, name: 'Hal Example', team: { name: 'library' } }
  const person = await world.person()
  const web = world.application('web')
  const tokens = await authorize(person, web, () => person.press('Continue with The Hub'))
  expect(await web.userinfo(tokens)).toMatchObject({ email: `${name}@example.org`, name: 'Hal Example' })
  expect(await world.introspected(tokens.access_token)).toMatchObject({
    active: true,
    roles: ['librarian'],
    attributes: { department: ['library'] },
  })
  expect(hub.callsTo('discovery')).toBe(0)

  // The same person comes back, in another browser.
  const again = await world.person()
  const later = await authorize(again, web, () => again.press('Continue with The Hub'))
  expect(claimsOf(later.id_token).sub).toBe(claimsOf(tokens.id_token).sub)
}

async function cancelled(world: World): Promise<void> {
  const { hub } = world.setting
  const person = await world.person()
  await person.go('/login')
  hub.callback = { code: undefined, error: 'access_denied' }
  try {
    await person.press('Continue with The Hub')
  } finally {
    hub.callback = {}
  }
  expect(await person.heading()).toBe('You are not signed in')
  await person.press('Choose how to sign in', 'link')
  expect(await person.heading()).toBe('Sign in')
}

async function linked(world: World): Promise<void> {
  const [elsewhere, taken] = [world.name(), world.name()]
  const ann = await world.invited()
  const { sub } = await standingOf(world, ann)
  const link = async () => {
    await ann.go('/account/identities')
    await ann.press('Link Provider Two')
    await ann.fill({ 'Current password': password })
    await ann.press('Continue')
  }
  await link()
  await confirmAt(ann, elsewhere)
  expect(ann.url.pathname).toBe('/account/identities')
  expect(await ann.text()).toContain(`${elsewhere}@example.org`)

  const later = await world.person()
  await later.go('/login')
  await signInAt(later, 'Provider Two', elsewhere)
  // What she has by that provider she has when she came by it.
  expect(await standingOf(world, later)).toMatchObject({ sub, roles: ['auditor', 'member'] })

  const other = await world.person()
  await other.go('/login')
  await signInAt(other, 'Provider One', taken)
  const stranger = await standingOf(world, other)
  await other.go('/account/identities')
  // Whoever has no password, and signed in just now, needs to show nothing more.
  await other.press('Link Provider Two')
  await confirmAt(other, elsewhere)
  expect(other.status).toBe(409)
  expect(await other.text()).toContain('belongs to another account')
  expect(await standingOf(world, other)).toMatchObject({ sub: stranger.sub, roles: ['editor', 'writers'] })
  await other.go('/account/identities')
  expect(await other.text()).not.toContain(elsewhere)
  await other.press(`Remove: ${taken}@example.org`)
  expect(await other.text()).toContain('This is the only way to sign in to your account.')

  // What she takes away is nobody's, and whoever signs in with it is somebody new.
  await ann.press(`Remove: ${elsewhere}@example.org`)
  await ann.fill({ 'Current password': password })
  await ann.press('Remove')
  expect(await ann.text()).toContain('The account is not linked any more, and you are signed out everywhere else.')
  const renewed = await world.person()
  await renewed.go('/login')
  await signInAt(renewed, 'Provider Two', elsewhere)
  expect((await standingOf(world, renewed)).sub).not.toBe(sub)
}

async function signsOutThere(world: World): Promise<void> {
  const person = await world.person()
  await person.go('/login')
  await signInAt(person, 'Provider One', world.name())
  await person.press('Sign out')
  expect(await person.text()).toContain('You may still be signed in with Provider One in this browser.')
  await person.press('Also sign out of Provider One', 'link')
  await person.press('Yes, sign me out')
  expect([person.url.pathname, await person.heading()]).toEqual(['/login', 'Sign in'])
  // It asks anew who they are.
  await signInAt(person, 'Provider One', world.name())
  expect(await person.heading()).toBe('You are signed in')
}

export const providerJourneys: readonly Journey[] = [
  { name: 'two providers say the same address: these are two people, each with the roles of theirs', go: twoProviders },
  { name: 'a provider without OpenID Connect signs somebody in, with roles and attributes', go: withoutOpenId },
  { name: 'somebody changes their mind at the provider, and is back where they can choose', go: cancelled },
  { name: 'somebody signs in with an identity that they added; nobody can add one of somebody else', go: linked },
  { name: 'whoever signs out is led to sign out at the provider, too', go: signsOutThere },
]
