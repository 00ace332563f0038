import { networkOf } from '@countersign/chassis'
import type { Millis } from '@countersign/contracts'
import { SessionRecord, SubjectRecord } from '@countersign/contracts/records'
import type { Reader } from '@countersign/store'
import {
  isBrowserSession,
  limits as tokenLimits,
  readSessionCookie,
  sessionKey,
  standingOf,
  subjectKey,
} from '@countersign/tokens'
import type { IntrospectionEngine } from '../engine.ts'
import type { Identity } from './identity.ts'
import type { HeaderValues } from './original.ts'

/** Whom the credentials of a request are of: nobody where there are none, or none that is good any more; false where they are refused. */
export type Identified = Identity | undefined | false

export interface CredentialsOptions {
  engine: Pick<IntrospectionEngine, 'find'>
  reader: Pick<Reader, 'follow'>
  issuer: string
  now: () => Millis
}

/** RFC 6750 section 2.1. */
const bearer = /^bearer(?= |$)/i
const bearerToken = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * Tells whom a request is of, by an access token or else by a session's cookie.
 * @param address who is slowed down after asking with many tokens that are not good
 * @throws Failure `unavailable`, `too_many_requests`: never a guess
 */
export function createIdentifier({ engine, reader, issuer, now }: CredentialsOptions) {
  async function byToken(authorization: string, address: string): Promise<Identified> {
    const token = bearerToken.exec(authorization)?.[1]
    if (token === undefined || token.length > tokenLimits.tokenCharacters) return false
    const found = await engine.find(`forward-auth ${networkOf(address)}`, token)
    if (!found) return false
    // Nobody has proved to hold what a bound token is bound to: whoever stole it could bring it, too.
    if (found.confirmation?.jkt || found.confirmation?.x5tS256) return false
    const { clientId, scope, roles, attributes } = found.terms
    return { subject: found.sub, clientId, scopes: scope === '' ? [] : scope.split(' '), roles, attributes }
  }

  async function bySession(cookie: string | undefined): Promise<Identified> {
    const name = readSessionCookie(cookie, issuer)
    const [first, ...linked] = (name && (await reader.follow(sessionKey(name.partition, name.id)))) ?? []
    if (!name || !first) return undefined
    const session = SessionRecord.decode(first.value)
    const owner = linked.find(({ key }) => key === subjectKey(name.partition, session.subject))
    const subject = owner && SubjectRecord.decode(owner.value)
    if (!isBrowserSession(session, subject, now())) return undefined
    return { subject: session.subject, clientId: '', scopes: 'every', ...standingOf(subject, session.provider) }
  }

  return async (valuesOf: HeaderValues, address: string): Promise<Identified> => {
    const authorizations = valuesOf('authorization')
    // The API may read another one of them.
    if (authorizations.length > 1) return false
    const [authorization] = authorizations
    if (authorization !== undefined && bearer.test(authorization)) return byToken(authorization, address)
    const cookies = valuesOf('cookie')
    return bySession(cookies.length === 0 ? undefined : cookies.join('; '))
  }
}
