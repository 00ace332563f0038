import { hkdfSync } from 'node:crypto'
import type { ClientDefinition } from '@countersign/tokens'

export const demoResources = [
  { id: 'reports', audience: 'https://reports.example', scopes: { 'read:reports': 'Read reports' } },
]

/** The same at every start on the same master key, so that what was pasted once can be pasted again. */
export const demoSecret = (masterKey: Buffer, clientId: string): string =>
  Buffer.from(hkdfSync('sha256', masterKey, '', `countersign demo client ${clientId}`, 18)).toString('base64url')

/** Clients to try it with: a machine, a resource server, and somebody who may read the audit journal. */
export function demoClients(masterKey: Buffer): ClientDefinition[] {
  const secret = (id: string) => ({ reveal: () => demoSecret(masterKey, id) })
  return [
    {
      id: 'batch',
      secret: secret('batch'),
      grants: ['client_credentials'],
      scopes: ['read:reports'],
      audience: ['reports'],
    },
    { id: 'reports-api', secret: secret('reports-api'), introspect: ['reports'] },
    { id: 'operator', secret: secret('operator'), audit: true },
  ]
}

/** What to paste to see the main job done. */
export function demoTranscript(issuer: string, masterKey: Buffer): string {
  const curl = (id: string) => `curl -s -u ${id}:${demoSecret(masterKey, id)}`
  return `
Paste this in another terminal:

  # a machine gets a token
  TOKEN=$(${curl('batch')} -d grant_type=client_credentials ${issuer}/oauth2/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'); echo $TOKEN

  # a resource server asks whether it is good, and for what
  ${curl('reports-api')} -d token=$TOKEN ${issuer}/oauth2/introspect; echo

  # the machine takes it back
  ${curl('batch')} -d token=$TOKEN ${issuer}/oauth2/revoke -w 'revoked: %{http_code}\\n'

  # and it is good no more
  ${curl('reports-api')} -d token=$TOKEN ${issuer}/oauth2/introspect; echo

  # the audit journal has all of it (/audit/v1/events/stream follows it live)
  ${curl('operator')} '${issuer}/audit/v1/events?limit=3'; echo

Everything is kept in ./data; nothing but this machine can reach it. Press Ctrl-C to stop.
`
}
