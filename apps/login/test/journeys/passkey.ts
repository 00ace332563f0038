import { expect } from '@jest/globals'
import { claimsOf } from '../testing/application.ts'
import { authorize, password, type Journey, type World } from '../testing/journey.ts'
import type { Person } from '../testing/person.ts'

/** A device that knows its owner, and keeps passkeys. */
async function giveAuthenticator(person: Person): Promise<void> {
  const session = await person.page.createCDPSession()
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

async function signOut(person: Person): Promise<void> {
  await person.go('/account')
  await person.press('Sign out', 'link')
  await person.press('Sign out')
  expect(await person.heading()).toBe('You are signed out')
}

async function signsInWithPasskey(world: World): Promise<void> {
  const ann = await world.invited()
  await giveAuthenticator(ann)
  await ann.go('/account/passkeys')
  await ann.press('Add a passkey')
  await ann.fill({ 'Current password': password })
  await ann.press('Continue')
  await ann.fill({ 'Name of the passkey': 'The old laptop' })
  await ann.press('Add a passkey')
  expect(await ann.text()).toContain('The passkey was added.')
  expect(await ann.text()).toContain('The old laptop')
  await signOut(ann)

  // As a browser that offers none in the field of the login name.
  const without = await ann.page.evaluateOnNewDocument('delete PublicKeyCredential.isConditionalMediationAvailable')
  const web = world.application('web')
  const tokens = await authorize(ann, web, () => ann.press('Sign in with a passkey'))
  expect(claimsOf(tokens.id_token).amr).toEqual(['hwk', 'user', 'mfa'])
  await ann.page.removeScriptToEvaluateOnNewDocument(without.identifier)
  await signOut(ann)

  // Whoever picks it in that field presses nothing.
  await ann.offered('/login?return_to=/account/passkeys')
  expect(ann.url.pathname).toBe('/account/passkeys')
  await ann.press('Remove: The old laptop')
  await ann.fill({ 'Current password': password })
  await ann.press('Remove')
  expect(await ann.text()).toContain('The passkey was removed, and you are signed out everywhere else.')
}

export const passkeyJourneys: readonly Journey[] = [
  { name: 'a passkey is added, signs in, and is removed', go: signsInWithPasskey, needsScripts: true },
]
