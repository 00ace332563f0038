import type { KeyObject } from 'node:crypto'
import { Passwords } from '@countersign/accounts'
import { createFailureLog, type Log } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import type { Router } from 'express'
import { AccountDirectory } from './account-directory.ts'
import { createCookies, type SessionOptions } from './cookies.ts'
import { Credentials } from './credentials.ts'
import type { AuthorizationCalls } from '@countersign/contracts'
import type { FailureThrottle } from './ports.ts'
import { consentHandlers, deviceHandlers, loginHandlers, logoutHandlers } from './routes.ts'
import { setupHandlers } from './setup.ts'
import { Steps } from './steps.ts'
import { Visits } from './visit.ts'

export interface LoginServiceOptions {
  /** token-issuer itself, or a client of its. */
  authorization: AuthorizationCalls
  store: Store
  partitions: number
  /** Under which browsers reach us; cookies are `Secure` when it is https. */
  issuer: string
  session: SessionOptions
  /** Proves that forms came from pages of ours; the same in all replicas. */
  csrfKey: KeyObject
  /** Of the link that makes the first account; undefined: there is none. */
  setupToken: string | undefined
  throttle: {
    /** Of wrong passwords, by account and by address. */
    signIns: FailureThrottle
    /** Of wrong user codes, by address. */
    userCodes: FailureThrottle
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
  directory: AccountDirectory
  stats(): { passwordHashes: number }
}

/** Signs people in and out with accounts of our own, and asks for their consent. */
export function createLoginService(options: LoginServiceOptions): LoginService {
  const { authorization, issuer, session, throttle, randomBytes, setupToken } = options
  const cookies = createCookies(issuer, session)
  const directory = new AccountDirectory(options)
  const passwords = new Passwords(randomBytes)
  const credentials = new Credentials({ ...options, directory, passwords, throttle: throttle.signIns })
  const steps = new Steps({ authorization, directory, cookies, session, userCodes: throttle.userCodes, randomBytes })
  const visits = new Visits({ ...options, cookies, logFailure: createFailureLog(options.log) })
  const routes = { authorization, steps, credentials }
  return {
    routers: [
      visits.router('/login', loginHandlers(routes)),
      visits.router('/consent', consentHandlers(routes)),
      visits.router('/device', deviceHandlers(routes)),
      visits.router('/logout', logoutHandlers(routes)),
      visits.router('/setup', setupHandlers({ setupToken, directory, passwords, steps })),
    ],
    directory,
    stats: () => ({ passwordHashes: passwords.computed }),
  }
}
