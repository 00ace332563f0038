import { createLook, type HttpAnswer } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { ClientInformation, ConsentPage, SignInPage } from '@countersign/contracts/authorization'
import { speechIn, type Language } from '../../speech.ts'
import { accountSamples } from '../account/testing/samples.ts'
import * as pages from '../index.ts'

const logo = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f766e"/>' +
    '<path d="M9 17l5 5 10-12" fill="none" stroke="#fff" stroke-width="3.5"/></svg>',
)

export const look = createLook({
  name: 'Meridian',
  logo: { bytes: logo, type: 'image/svg+xml' },
  accent: '#0f766e',
  support: 'https://meridian.example/help',
})

export const paperIn = (language: Language, root = ''): pages.Paper => ({ speech: speechIn(language), look, root })

export interface Names {
  person: string
  client: string
  provider: string
}

const usual: Names = { person: 'alice@example.org', client: 'Quarterly Reports', provider: 'Google' }

const ties: pages.Ties = { purpose: { $case: 'requestId', value: 'r1' }, csrf: 'Zm9yZ2VyeQ' }

export const challenge = {
  options: JSON.stringify({
    challenge: 'c2FtcGxlIGNoYWxsZW5nZQ',
    rpId: 'localhost',
    allowCredentials: [],
    userVerification: 'required',
    timeout: 60_000,
  }),
  ticket: 't1',
}

export const creation = {
  options: JSON.stringify({
    challenge: 'c2FtcGxlIGNoYWxsZW5nZQ',
    rp: { id: 'localhost', name: 'Meridian' },
    user: { id: 'YWxpY2U', name: 'alice', displayName: 'Alice' },
    pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  }),
  ticket: 't1',
}

const clientOf = (name: string, more: Partial<ClientInformation> = {}): ClientInformation => ({
  ...ClientInformation.decode(new Uint8Array()),
  id: 'reports',
  name,
  policyUri: 'https://reports.example/privacy',
  tosUri: 'https://reports.example/terms',
  ...more,
})

const scopes = ['openid', 'profile', 'email', 'roles', 'offline_access', 'reports:read'].map((scope) => ({
  scope,
  description: scope === 'reports:read' ? 'Read the reports of your department' : '',
}))

type Made = Record<string, HttpAnswer>

function signInPages(paper: pages.Paper, names: Names): Made {
  const { speech } = paper
  const page: SignInPage = { ...SignInPage.decode(new Uint8Array()), client: clientOf(names.client), loginHint: '' }
  const providers = [
    { id: 'google', name: names.provider },
    { id: 'work', name: 'Contoso' },
  ]
  const wrong = { status: 401, message: speech.say('mistake.sign_in') }
  const wait = { status: 429, message: speech.say('mistake.too_many_attempts', { wait: speech.duration(30_000) }) }
  const local = { page, ties, providers: [], local: true, canReset: true }
  return {
    'sign-in': pages.signInPage(paper, { ...local, providers, passkey: challenge }),
    'sign-in-local': pages.signInPage(paper, { ...local, page: { ...page, again: true }, loginName: names.person }),
    'sign-in-providers': pages.signInPage(paper, { ...local, providers, local: false, canReset: false }),
    'sign-in-wrong': pages.signInPage(paper, { ...local, mistake: wrong, loginName: names.person }),
    'sign-in-blocked': pages.signInPage(paper, { ...local, mistake: { ...wait, retryAfterSeconds: 30 } }),
    'second-factor': pages.secondFactorPage(paper, { ties, ticket: 't1' }),
    'second-factor-wrong': pages.secondFactorPage(paper, {
      ties,
      ticket: 't1',
      mistake: { status: 401, message: speech.say('mistake.second_factor') },
    }),
  }
}

function passwordPages(paper: pages.Paper, { person }: Names): Made {
  const { speech } = paper
  const choice = { ties, token: 'l1', loginName: person, leastCharacters: 10 }
  const mistakes = {
    password: speech.say('mistake.password_short', { least: 10 }),
    password_again: speech.say('mistake.password_again'),
  }
  const setup = { ties, token: 's1', leastCharacters: 10, fields: { loginName: '', name: '', email: '' } }
  const filled = { loginName: person, name: person, email: 'nonsense' }
  return {
    'reset-request': pages.resetRequestPage(paper, { ties }),
    'reset-sent': pages.resetSentPage(paper, { purpose: undefined, validForMs: 3_600_000 }),
    'choose-reset': pages.choosePasswordPage(paper, { ...choice, reason: 'reset', mistakes }),
    'choose-invitation': pages.choosePasswordPage(paper, { ...choice, reason: 'invitation' }),
    setup: pages.setupPage(paper, setup),
    'setup-wrong': pages.setupPage(paper, {
      ...setup,
      fields: filled,
      mistakes: { ...mistakes, email: speech.say('mistake.email') },
    }),
  }
}

function errandPages(paper: pages.Paper, { person, client }: Names): Made {
  const page: ConsentPage = { ...ConsentPage.decode(new Uint8Array()), client: clientOf(client), scopes }
  const device = { ...page, client: clientOf(client, { registeredItself: true }), userCode: 'BCDFGHJK' }
  const { speech } = paper
  return {
    consent: pages.consentPage(paper, { page, ties, name: person }),
    'consent-device': pages.consentPage(paper, { page: device, ties, name: person }),
    device: pages.devicePage(paper, { ties }),
    'device-unknown': pages.devicePage(paper, {
      ties,
      typed: 'BCDF-GHJK',
      mistake: { status: 404, message: speech.say('mistake.device_unknown') },
    }),
    'device-allowed': pages.donePage(paper, 'device_allowed'),
    'device-denied': pages.donePage(paper, 'device_denied'),
    'signed-in': pages.signedInPage(paper, { ties, name: person }),
    'sign-out': pages.signOutPage(paper, { page: { client: clientOf(client) }, ties }),
    'sign-out-own': pages.signOutPage(paper, { page: { client: undefined }, ties }),
    'signed-out': pages.signedOutPage(paper),
  }
}

function errorPages(paper: pages.Paper, { provider }: Names): Made {
  const again = 'login?request=r1'
  const busy = new Failure('too_many_requests', 'too many requests', { retryAfterSeconds: 90 })
  const about = (name: string, failure: Failure) => pages.providerErrorPage(paper, { name, again, failure })
  return {
    'error-gone': pages.errorPage(paper, new Failure('not_found', 'this sign-in is over')),
    'error-busy': pages.errorPage(paper, busy),
    'error-internal': pages.errorPage(paper, new Failure('internal', 'redis said no'), again),
    'provider-unreachable': about(provider, new Failure('unavailable', 'it does not answer', { retryAfterSeconds: 5 })),
    'provider-refused': about(provider, new Failure('access_denied', 'the person pressed cancel')),
    'provider-unusable': about(provider, new Failure('invalid_request', 'the nonce is not ours')),
    'signed-out-upstream': pages.signedOutPage(paper, { name: provider, url: 'https://provider.example/logout' }),
  }
}

/** Pages that others make of the pieces. */
function ownPages(paper: pages.Paper, { person, client }: Names): Made {
  return {
    confirmation: pages.confirmationPage(paper, {
      title: 'Remove this passkey?',
      text: pages.named(person),
      ties,
      fields: { id: 'p1' },
      action: 'account/passkeys',
      button: 'Remove',
      back: 'account',
    }),
    return: pages.returnPage(paper, 'https://reports.example/back', [{ name: 'state', value: client }]),
  }
}

/** Every page there is, by a name for it. */
export const samples = (paper: pages.Paper, names: Names = usual): Made => ({
  ...signInPages(paper, names),
  ...passwordPages(paper, names),
  ...errandPages(paper, names),
  ...errorPages(paper, names),
  ...ownPages(paper, names),
  ...accountSamples(paper, { ...names, creation }),
})
