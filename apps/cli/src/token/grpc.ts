import { IntrospectionService, type IntrospectResponse } from '@countersign/contracts/introspection'
import { readToken } from '../client.ts'
import { askService, readCaller } from '../rpc-call.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Introspection, IntrospectOptions } from './introspect.ts'

/** Asks `countersign.introspection.v1.Introspection`. @throws Failure */
export async function askOverGrpc(
  target: string,
  options: IntrospectOptions,
  surroundings: Surroundings,
): Promise<Introspection> {
  const token = await readToken(options, surroundings)
  const question = { token, tokenTypeHint: '', minRevision: '', staleness: undefined }
  const client = await readCaller(options, surroundings)
  return askService(IntrospectionService, { target, hasTls: false }, options, client, async (calls) =>
    asInHttp(await calls.introspect(question)),
  )
}

/** The message as the JSON of RFC 7662. */
function asInHttp(answer: IntrospectResponse): Introspection {
  if (!answer.active) return { active: false }
  const { aud, actors } = answer
  const { jkt, x5tS256 } = answer.cnf ?? {}
  return {
    active: true,
    scope: answer.scope,
    client_id: answer.clientId,
    token_type: answer.tokenType,
    exp: answer.exp,
    iat: answer.iat,
    sub: answer.sub,
    aud: aud.length === 1 ? aud[0] : aud,
    iss: answer.iss,
    jti: answer.jti,
    ...((jkt || x5tS256) && { cnf: { ...(jkt && { jkt }), ...(x5tS256 && { 'x5t#S256': x5tS256 }) } }),
    ...(actors.length > 0 && { act: actOf(actors) }),
  }
}

/** Whoever acts now, and within whoever acted before (RFC 8693 section 4.1). */
const actOf = (actors: readonly string[]): object | undefined =>
  actors.reduceRight<object | undefined>((act, sub) => ({ sub, ...(act && { act }) }), undefined)
