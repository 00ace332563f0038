import { newRecoveryCodes, recoveryRandomBytes } from '@countersign/accounts'
import type { HttpAnswer } from '@countersign/chassis'
import { ClientInformation } from '@countersign/contracts/authorization'
import type { Mistake, Paper, PasskeyChallenge } from '../../index.ts'
import * as account from '../index.ts'

export interface AccountNames {
  person: string
  client: string
  provider: string
  /** For `navigator.credentials.create`. */
  creation: PasskeyChallenge
}

const now = 1_772_000_000_000
const hour = 3_600_000

type Made = Record<string, HttpAnswer>

const framer =
  (paper: Paper) =>
  (here: account.AccountPage, mistake?: Mistake, notice?: account.Notice): account.Frame => ({
    paper,
    here,
    pages: Object.keys(account.accountPaths) as account.AccountPage[],
    csrf: 'Zm9yZ2VyeQ',
    mistake,
    notice,
  })

function passwordPages(paper: Paper, { person }: AccountNames): Made {
  const frame = framer(paper)
  const { speech } = paper
  const change = { loginName: person, hasPassword: true, changedAt: now, leastCharacters: 10, mistakes: {} }
  const wrong = { status: 400, message: speech.say('page.look_again') }
  const mistakes = {
    current_password: speech.say('account.mistake.password'),
    password: speech.say('mistake.password_common'),
  }
  return {
    'account-password': account.passwordPage(frame('password', undefined, 'password_changed'), change),
    'account-password-wrong': account.passwordPage(frame('password', wrong), { ...change, mistakes }),
    'account-password-none': account.passwordPage(frame('password'), { ...change, hasPassword: false }),
  }
}

function secondFactorPages(paper: Paper, { person }: AccountNames): Made {
  const frame = framer(paper)
  const { speech } = paper
  const setup = {
    uri: `otpauth://totp/Meridian:${encodeURIComponent(person)}?issuer=Meridian&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=30&digits=6&algorithm=SHA1`,
    secret: 'GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ',
    ticket: 't1',
  }
  const wrong = { status: 401, message: speech.say('account.mistake.code') }
  const totp = { addedAt: now, recoveryCodes: 9 }
  const question = {
    title: speech.say('account.second_factor.remove_title'),
    text: speech.say('account.second_factor.remove_text'),
    button: speech.say('account.remove'),
    isDanger: true,
    fields: { act: 'remove' },
  }
  const wait = { status: 429, message: speech.say('account.mistake.password'), retryAfterSeconds: 20 }
  return {
    'account-second-factor-off': account.secondFactorStatePage(frame('second_factor'), {
      hasPassword: true,
      totp: undefined,
    }),
    'account-second-factor-none': account.secondFactorStatePage(frame('second_factor'), {
      hasPassword: false,
      totp: undefined,
    }),
    'account-second-factor': account.secondFactorStatePage(frame('second_factor'), { hasPassword: true, totp }),
    'account-totp': account.totpSetupPage(frame('second_factor'), setup),
    'account-totp-wrong': account.totpSetupPage(frame('second_factor', wrong), setup),
    'account-recovery-codes': account.recoveryCodesPage(
      frame('second_factor'),
      newRecoveryCodes(new Uint8Array(recoveryRandomBytes).map((_, n) => n * 7)),
    ),
    'account-confirm': account.confirmPage(frame('second_factor', wait), question, 'password'),
    'account-confirm-sign-in': account.confirmPage(frame('second_factor'), question, {
      signIn: 'login?again=1&return_to=%2Faccount',
    }),
  }
}

function otherPages(paper: Paper, { person, client, provider, creation }: AccountNames): Made {
  const frame = framer(paper)
  const passkeys = [
    { id: 'p1', name: person, addedAt: now - 30 * 24 * hour, usedAt: now - 3 * hour },
    { id: 'p2', name: 'Key', addedAt: now, usedAt: now },
  ]
  const session = { id: 's1', browser: 'Firefox', system: 'Linux', address: '192.0.2.7', provider: undefined }
  const sessions = [
    { ...session, isCurrent: true, startedAt: now, usedAt: now },
    { ...session, browser: client, isCurrent: false, provider, startedAt: now - 3 * hour, usedAt: now - hour },
    { ...session, browser: '', system: '', isCurrent: false, startedAt: now, usedAt: now },
  ]
  const information = {
    ...ClientInformation.decode(new Uint8Array()),
    id: 'reports',
    name: client,
    registeredItself: true,
  }
  const scopes = [
    { scope: 'profile', description: '' },
    { scope: 'reports:read', description: 'Read the reports of your department' },
  ]
  const identities = [{ issuer: 'https://i.example', subject: '1', label: person, provider, linkedAt: now }]
  const overview = {
    ...{ loginName: person, name: person, email: person, passwordChangedAt: 0, totpAddedAt: undefined },
    ...{ passkeys: [person, 'Key'], identities: [{ provider, label: person }] },
  }
  const many = { status: 409, message: paper.speech.say('account.mistake.last_way') }
  return {
    account: account.overviewPage(frame('overview'), overview),
    'account-passkeys': account.passkeysPage(frame('passkeys', many), { passkeys, mayAdd: true, now }),
    'account-passkeys-none': account.passkeysPage(frame('passkeys'), { passkeys: [], mayAdd: true, now }),
    'account-passkeys-elsewhere': account.passkeysPage(frame('passkeys'), { passkeys: [], mayAdd: false, now }),
    'account-new-passkey': account.newPasskeyPage(frame('passkeys'), { challenge: creation, csrf: 'x', name: '' }),
    'account-identities': account.identitiesPage(frame('identities'), {
      identities,
      providers: [{ id: 'google', name: provider }],
    }),
    'account-sessions': account.sessionsPage(frame('sessions', undefined, 'session_ended'), { sessions, now }),
    'account-applications': account.applicationsPage(frame('applications'), [
      { client: information, scopes, givenAt: now, grantedAt: now },
    ]),
    'account-applications-none': account.applicationsPage(frame('applications'), []),
  }
}

/** Every page of an account. */
export const accountSamples = (paper: Paper, names: AccountNames): Made => ({
  ...passwordPages(paper, names),
  ...secondFactorPages(paper, names),
  ...otherPages(paper, names),
})
