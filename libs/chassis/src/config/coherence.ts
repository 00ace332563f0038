import { readHostPort } from './address.ts'
import { keyOf } from './problem.ts'
import { listAt, mapAt, mapsAt, textAt, type Raw } from './raw.ts'
import type { Report } from './references.ts'

/** What must fit together within a client, and between listeners. */
export function checkCoherence(raw: Raw, report: Report): void {
  for (const [client, index] of mapsAt(raw, 'clients')) {
    checkClient(client, (path, message) => report(['clients', index, ...path], message))
  }
  const firsts = new Map<string, string>()
  for (const name of ['http', 'grpc', 'management']) {
    const given = textAt(mapAt(raw, 'listen'), name)
    const port = readHostPort(given ?? '')?.port
    if (given === undefined || !port) continue
    const first = firsts.get(given)
    if (first !== undefined) report(['listen', name], `${given} is ${keyOf(['listen', first])} already`)
    firsts.set(given, first ?? name)
  }
}

function checkClient(client: Raw, report: Report): void {
  const has = (key: string) => client[key] !== undefined
  const grants = listAt(client, 'grants')
  const certificate = ['tls_client_auth_san_dns', 'tls_client_auth_subject_dn'].filter(has)
  if (certificate.length > 1) report([certificate[1]!], `is instead of ${certificate[0]}, not beside it (RFC 8705)`)
  if (has('previous_secret') && !has('secret')) report(['previous_secret'], 'needs secret beside it')
  if (client.public === true) {
    for (const key of ['secret', 'previous_secret', ...certificate]) {
      if (has(key)) report([key], 'is not for a public client, which cannot keep a secret')
    }
    const machine = grants.indexOf('client_credentials')
    if (machine >= 0)
      report(['grants', machine], 'client_credentials is not for a public client (RFC 6749 section 4.4)')
    if (listAt(client, 'introspect').length > 0)
      report(['introspect'], 'is not for a public client (RFC 7662 section 2.1)')
    if (client.require_pkce === false)
      report(['require_pkce'], 'is required of a public client (RFC 9700 section 2.1.1)')
    if (client.audit === true) report(['audit'], 'is not for a public client')
  } else if (!has('secret') && certificate.length === 0) {
    report([], 'needs secret, tls_client_auth_san_dns or tls_client_auth_subject_dn, or public: true')
  }
  const code = grants.indexOf('authorization_code')
  if (code >= 0 && listAt(client, 'redirect_uris').length === 0) {
    report(['grants', code], 'authorization_code needs redirect_uris')
  }
}
