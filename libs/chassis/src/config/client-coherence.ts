import { listAt, type Raw } from './raw.ts'
import type { Report } from './references.ts'
import { sectorOf } from './url.ts'

const certificateKeys = ['tls_client_auth_san_dns', 'tls_client_auth_subject_dn']
const keySetKeys = ['jwks', 'jwks_uri']

/** What each way of authenticating needs one of. */
const neededBy: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['client_secret_basic', ['secret']],
  ['client_secret_post', ['secret']],
  ['private_key_jwt', keySetKeys],
  ['tls_client_auth', certificateKeys],
  ['self_signed_tls_client_auth', keySetKeys],
])

/** What must fit together within a client; paths are from the client. */
export function checkClient(client: Raw, report: Report): void {
  const has = (key: string) => client[key] !== undefined
  for (const [keys, source] of [
    [certificateKeys, 'RFC 8705'],
    [keySetKeys, 'RFC 7591 section 2'],
  ] as const) {
    const [first, second] = keys.filter(has)
    if (second !== undefined) report([second], `is instead of ${first}, not beside it (${source})`)
  }
  if (has('previous_secret') && !has('secret')) report(['previous_secret'], 'needs secret beside it')
  if (client.public === true) checkPublic(client, report)
  else checkConfidential(client, report)
  const code = listAt(client, 'grants').indexOf('authorization_code')
  if (code >= 0 && listAt(client, 'redirect_uris').length === 0) {
    report(['grants', code], 'authorization_code needs redirect_uris')
  }
  checkSector(client, report)
}

function checkPublic(client: Raw, report: Report): void {
  const { auth_method: method } = client
  if (typeof method === 'string' && method !== 'none') {
    report(['auth_method'], 'is none for a public client, which cannot keep a secret')
  }
  for (const key of ['secret', 'previous_secret', ...certificateKeys]) {
    if (client[key] !== undefined) report([key], 'is not for a public client, which cannot keep a secret')
  }
  const machine = listAt(client, 'grants').indexOf('client_credentials')
  if (machine >= 0) report(['grants', machine], 'client_credentials is not for a public client (RFC 6749 section 4.4)')
  if (listAt(client, 'introspect').length > 0)
    report(['introspect'], 'is not for a public client (RFC 7662 section 2.1)')
  if (client.require_pkce === false) report(['require_pkce'], 'is required of a public client (RFC 9700 section 2.1.1)')
  for (const key of ['audit', 'admin']) if (client[key] === true) report([key], 'is not for a public client')
}

function checkConfidential(client: Raw, report: Report): void {
  const { auth_method: method } = client
  const credentials = ['secret', ...keySetKeys, ...certificateKeys]
  const lacks = (keys: readonly string[]) => keys.every((key) => client[key] === undefined)
  if (method === 'none') return report(['auth_method'], 'none needs public: true')
  const needed = neededBy.get(method)
  if (needed === undefined) {
    if (lacks(credentials)) report([], `needs ${listed(credentials)}, or public: true`)
  } else if (lacks(needed)) report(['auth_method'], `${String(method)} needs ${listed(needed)}`)
}

const listed = (keys: readonly string[]): string =>
  keys.length === 1 ? keys[0]! : `${keys.slice(0, -1).join(', ')} or ${keys.at(-1)}`

function checkSector(client: Raw, report: Report): void {
  const isPairwise = client.subject_type === 'pairwise'
  if (client.sector_identifier !== undefined) {
    if (!isPairwise) report(['sector_identifier'], 'needs subject_type: pairwise')
    return
  }
  const uris = listAt(client, 'redirect_uris').filter((uri) => typeof uri === 'string')
  if (isPairwise && sectorOf(uris) === undefined) {
    report(
      ['subject_type'],
      'pairwise needs sector_identifier where redirect_uris do not share one host (OpenID Connect Core section 8.1)',
    )
  }
}
