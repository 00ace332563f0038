import type { HttpAnswer } from '@countersign/chassis'
import type { RegistrationRecord } from '@countersign/contracts/records'
import type { ClientMetadata, Refusal } from './metadata.ts'

/** What is told once, or as it was presented; the store has it only as digests. */
export interface Issued {
  readonly token: string | undefined
  readonly secret?: string
}

const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' }

/** RFC 7591 section 3.2.1. */
export function informationAnswer(
  status: number,
  uri: string,
  { clientId, createdAt }: RegistrationRecord,
  metadata: ClientMetadata,
  { token, secret }: Issued,
): HttpAnswer {
  const body = {
    client_id: clientId,
    client_id_issued_at: Math.floor(createdAt / 1_000),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    registration_access_token: token,
    registration_client_uri: uri,
    ...metadata,
  }
  return { status, headers, body: JSON.stringify(body) }
}

/** RFC 7591 section 3.2.2. */
export const refusalAnswer = ({ error, description }: Refusal): HttpAnswer => ({
  status: 400,
  headers,
  body: JSON.stringify({ error, error_description: description }),
})

/** RFC 6750 section 3: says what is wrong only where a token came. */
export const unauthorizedAnswer = (token: string | undefined): HttpAnswer => ({
  status: 401,
  headers: {
    ...headers,
    'www-authenticate': `Bearer realm="countersign"${token === undefined ? '' : ', error="invalid_token"'}`,
  },
  body: JSON.stringify({ error: 'invalid_token' }),
})
