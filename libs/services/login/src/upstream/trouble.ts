import { asFailure, Failure } from '@countersign/contracts'
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client'
import { limits } from './limits.ts'

/** The provider does not answer as it should. The cause holds nothing that it sent. */
export const silent = (name: string, cause: unknown, retryAfterSeconds: number = limits.retryAfterSeconds): Failure =>
  new Failure('unavailable', `${name} does not answer as it should at present. Try again, or sign in another way.`, {
    cause,
    retryAfterSeconds,
  })

class Declined extends Error {}

/** The provider does not do what was asked. That may be due to what one browser brought, so it is no fault of its. */
export const declined = (name: string, why: string, retryAfterSeconds?: number): Failure =>
  silent(name, new Declined(why), retryAfterSeconds)

/** What came back is no answer to what was asked: whoever it was for, starting again is safe. */
export const refused = (name: string, why: string): Failure =>
  new Failure('invalid_request', `What ${name} answered does not belong to this sign-in. Start again.`, {
    cause: new Error(why),
  })

/** The person may not come in this way. */
export const denied = (message: string, why: string): Failure =>
  new Failure('access_denied', message, { cause: new Error(why) })

/** For the log: what a provider calls an error, cut and without control characters. */
const printable = (text: string, characters: number): string => text.slice(0, characters).replace(/[^\x20-\x7e]/g, '?')

const errorText = (error: string): string => printable(error, limits.errorCharacters)

/** In the callback (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6). It came by the browser: anyone may have made it. */
function failureInCallback({ error, error_description: description = '' }: AuthorizationResponseError, name: string) {
  const told = description === '' ? '' : `: ${printable(description, limits.descriptionCharacters)}`
  const why = `the callback has the error ${errorText(error)}${told}`
  switch (error) {
    case 'access_denied':
      return denied(`${name} did not let you sign in, or you chose not to.`, why)
    case 'temporarily_unavailable':
    case 'server_error':
      return silent(name, new Error(why))
    default:
      return new Failure('invalid_request', `${name} could not sign you in. Start again.`, { cause: new Error(why) })
  }
}

/** At the token endpoint (RFC 6749 section 5.2). Its description may repeat what was sent, and is not kept. */
function failureOfCode({ error, status }: ResponseBodyError, name: string): Failure {
  const why = `the token endpoint answered ${status} ${errorText(error)}`
  // GitHub's name for it is its own.
  if (error === 'invalid_grant' || error === 'bad_verification_code') {
    const message = `${name} takes this sign-in no longer: it took too long, or was used already. Start again.`
    return new Failure('invalid_request', message, { cause: new Error(why) })
  }
  return new Failure('unavailable', `${name} does not accept this service. Its operator has to look into it.`, {
    cause: new Error(why),
  })
}

/** A Failure of ours that openid-client has wrapped. */
function ownFailure(thrown: unknown): Failure | undefined {
  if (thrown instanceof Failure) return thrown
  return thrown instanceof Error && thrown.cause instanceof Failure ? thrown.cause : undefined
}

/** openid-client's messages quote neither what was sent nor what was answered; what hangs on its errors as causes does. */
const reasonOf = ({ message, cause }: Error): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message

/** Anything thrown while somebody signs in, as what to tell them, with a cause that may be logged. */
export function failureOf(thrown: unknown, name: string): Failure {
  const own = ownFailure(thrown)
  if (own) return own
  if (thrown instanceof AuthorizationResponseError) return failureInCallback(thrown, name)
  if (thrown instanceof ResponseBodyError) return failureOfCode(thrown, name)
  const isAboutAnswer = thrown instanceof ClientError || (thrown instanceof TypeError && 'code' in thrown)
  return isAboutAnswer ? refused(name, reasonOf(thrown)) : asFailure(thrown)
}

/** Whether it speaks against the provider, rather than against this sign-in or our registration there. */
export function isFault(thrown: unknown): boolean {
  const own = ownFailure(thrown)
  return own?.code === 'unavailable' && !(own.cause instanceof Declined)
}
