import type { HttpRequest } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import type { Confirmation, GrantRecord } from '@countersign/contracts/records'
import type { AccessToken, Client, Deciding } from '@countersign/tokens'
import { clientAsker } from '../asker.ts'

/** What a client posts to the token endpoint, once it is known who it is and what it holds. */
export interface TokenRequest {
  readonly client: Client
  readonly form: ReadonlyMap<string, string>
  readonly http: HttpRequest
  /** The DPoP key and the certificate that it proved to hold. */
  readonly confirmation: Confirmation | undefined
}

/** What a grant gives. */
export interface Given {
  readonly access: AccessToken
  readonly refreshToken?: string | undefined
  /** Of a person: an ID token goes with it where the scope has `openid`. */
  readonly grant?: GrantRecord
  readonly nonce?: string
  /** The code that was redeemed. */
  readonly code?: string
  /** RFC 8693 section 2.2.1. */
  readonly issuedTokenType?: string
}

export type GrantHandler = (request: TokenRequest) => Promise<Given>

/** What decisions about a client's request are made with. */
export const decidingFor = (
  { client, http }: Pick<TokenRequest, 'client' | 'http'>,
  { commitId, now }: { commitId: () => string; now: () => number },
): Deciding => ({ commitId: commitId(), asker: clientAsker(client.id, http), now: now() })

export const resourcesOf = (form: ReadonlyMap<string, string>): string[] =>
  (form.get('resource') ?? '').split(' ').filter((resource) => resource !== '')

/** @throws Failure `invalid_request` */
export function required(form: ReadonlyMap<string, string>, name: string): string {
  const value = form.get(name)
  if (value === undefined) throw new Failure('invalid_request', `${name} is required`)
  return value
}
