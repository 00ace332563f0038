import type { KeyObject } from 'node:crypto'
import { createPasswordPolicy, Passwords, type RoleRule } from '@countersign/accounts'
import { createFailureLog, type Log } from '@countersign/chassis'
import type { AuthorizationCalls, Millis } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import { createReplayGuard } from '@countersign/tokens'
import type { Router } from 'express'
import { AccountDirectory } from './account-directory.ts'
import { accountRoutes } from './account/routes.ts'
import { createCookies, type SessionOptions } from './cookies.ts'
import type { Directories } from './directories/directories.ts'
import { Correspondence } from './mail/correspondence.ts'
import type { Post } from './mail/post.ts'
import { accountsCalls, type AccountsCalls, type AccountsOptions } from './operators/calls.ts'
import type { Look } from './pages/index.ts'
import type { FailureThrottle } from './ports.ts'
import { Arrivals } from './sign-in/arrival.ts'
import { callbackHandlers } from './sign-in/callback.ts'
import { ChoosePassword } from './sign-in/choose-password.ts'
import { Credentials } from './sign-in/credentials.ts'
import { Entrance } from './sign-in/entrance.ts'
import { consentHandlers, deviceHandlers, logoutHandlers } from './sign-in/errands.ts'
import { FailedSignIns } from './sign-in/failed-sign-ins.ts'
import { SignIn } from './sign-in/handlers.ts'
import { Identities } from './sign-in/identities.ts'
import { Passkeys } from './sign-in/passkeys.ts'
import { SecondFactor } from './sign-in/second-factor.ts'
import { setupHandlers } from './sign-in/setup.ts'
import { Steps } from './sign-in/steps.ts'
import { UpstreamVisits } from './sign-in/upstream-visits.ts'
import type { Language } from './speech.ts'
import { Tickets } from './tickets.ts'
import type { Upstreams } from './upstream/upstreams.ts'
import { Visits } from './visit.ts'

export interface LoginServiceOptions {
  /** token-issuer itself, or a client of its. */
  authorization: AuthorizationCalls
  store: Store
  partitions: number
  /** Under which browsers reach us; cookies are `Secure` when it is https. */
  issuer: string
  session: SessionOptions
  /** Who else signs people in, and whether somebody who is new may come that way. */
  upstreams: Upstreams
  mayBegin: (provider: string) => boolean
  /** The id of the provider that accounts of ours are; undefined: nobody signs in with them. */
  localProvider: string | undefined
  rules: readonly RoleRule[]
  directories: Directories
  /** Undefined: nothing can be sent. */
  post: Post | undefined
  passwords: { leastCharacters: number; refused: Iterable<string> }
  look: Look
  language: Language
  /** Proves that forms came from pages of ours; the same in all replicas. */
  csrfKey: KeyObject
  /** Makes links that choose a password. */
  linkKey: KeyObject
  /** Seal what browsers carry, and secrets at rest; the current one first. */
  ticketKeys: readonly KeyObject[]
  sealKeys: readonly KeyObject[]
  /** Of the link that makes the first account; undefined: there is none. */
  setupToken: string | undefined
  /** Who asks for an account of somebody else. Absent: nobody may. */
  operatorOf?: AccountsOptions['operatorOf']
  throttle: {
    /** Of wrong passwords, by account and by address. */
    signIns: FailureThrottle
    /** Of wrong user codes, by address. */
    userCodes: FailureThrottle
    /** Of wrong second factors, by account and by address. */
    secondFactors: FailureThrottle
    /** Of people who are sent to providers, by address. */
    departures: FailureThrottle
    /** Of links for a new password that are asked for, by account and by address. */
    resets: FailureThrottle
  }
  now: () => Millis
  /** From the operating system's generator. */
  randomBytes: (bytes: number) => Uint8Array
  /** 128 random bits as 32 hex digits. */
  commitId: () => string
  log: Log
}

export interface LoginService {
  routers: Router[]
  /** For operators; with `operatorOf` alone. */
  accounts?: AccountsCalls
  directory: AccountDirectory
  stats(): { passwordHashes: number }
}

/** Signs people in and out, whoever vouches for them, asks for their consent, and lets them look after their accounts. */
export function createLoginService(options: LoginServiceOptions): LoginService {
  const { authorization, issuer, session, throttle, randomBytes, setupToken, upstreams, localProvider, look } = options
  const cookies = createCookies(issuer, session)
  const directory = new AccountDirectory(options)
  const passwords = new Passwords(randomBytes)
  const policy = createPasswordPolicy(options.passwords)
  const failed = new FailedSignIns(options)
  const correspondence = new Correspondence(options)
  const replay = createReplayGuard(options)
  const { secondFactors } = throttle
  const secondFactor = new SecondFactor({ ...options, directory, throttle: secondFactors, failed, correspondence })
  const provider = localProvider ?? 'local'
  const credentials = new Credentials({ directory, passwords, throttle: throttle.signIns, failed, provider })
  const serverName = () => look.name || new URL(issuer).hostname
  const passkeys = new Passkeys({ ...options, directory, replay, serverName })
  const hasLocalAccounts = localProvider !== undefined
  const entrance = new Entrance({ upstreams, passkeys, hasLocalAccounts, canReset: options.post !== undefined })
  const steps = new Steps({
    authorization,
    directory,
    upstreams,
    entrance,
    cookies,
    issuer,
    userCodes: throttle.userCodes,
  })
  const identities = new Identities({ ...options, directory })
  const arrivals = new Arrivals({ ...options, cookies })
  const upstreamVisits = new UpstreamVisits({ upstreams, replay, issuer, randomBytes })
  const { departures } = throttle
  const ways = { authorization, steps, entrance, arrivals, credentials, secondFactor, passkeys, failed, upstreamVisits }
  const signIn = new SignIn({ ...ways, upstreams, departures, localProvider })
  const words = { ...options, directory, passwords, policy, correspondence, signIn }
  const choosing = new ChoosePassword({ ...words, throttle: throttle.resets })
  const account = accountRoutes({ ...words, ...ways, identities, upstreams, hasLocalAccounts, serverName })
  const tickets = new Tickets({ ...options, keys: options.ticketKeys })
  const visits = new Visits({ ...options, cookies, tickets, logFailure: createFailureLog(options.log) })
  const { operatorOf } = options
  return {
    ...(operatorOf && { accounts: accountsCalls({ ...options, operatorOf, directory, correspondence }) }),
    routers: [
      visits.router('/login', signIn.handlers()),
      ...(localProvider === undefined
        ? []
        : [visits.router('/login/reset', choosing.request()), visits.router('/login/password', choosing.choice())]),
      visits.router('/login/callback/:provider', callbackHandlers({ ...words, ...ways, identities })),
      visits.router('/consent', consentHandlers(ways)),
      visits.router('/device', deviceHandlers(ways)),
      visits.router('/logout', logoutHandlers(ways)),
      visits.router('/setup', setupHandlers({ setupToken, directory, passwords, policy, signIn })),
      ...account.map(({ path, handlers }) => visits.router(path, handlers)),
    ],
    directory,
    stats: () => ({ passwordHashes: passwords.computed }),
  }
}
