import { hkdfSync } from 'node:crypto'
import type { ClientDefinition } from '@countersign/tokens'
import { setupTokenFrom } from './keys.ts'

export const demoResources = [
  { id: 'reports', audience: 'https://reports.example', scopes: { 'read:reports': 'Read reports' } },
]

/** The same at every start on the same master key, so that what was pasted once can be pasted again. */
export const demoSecret = (masterKey: Buffer, clientId: string): string =>
  Buffer.from(hkdfSync('sha256', masterKey, '', `countersign demo client ${clientId}`, 18)).toString('base64url')

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** Clients to try it with: a machine, a resource server, somebody who may read the audit journal, an application and a device. */
export function demoClients(masterKey: Buffer): ClientDefinition[] {
  const secret = (id: string) => ({ reveal: () => demoSecret(masterKey, id) })
  const forPeople = { public: true, scopes: ['openid', 'profile', 'email', 'read:reports'], audience: ['reports'] }
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
    {
      id: 'web',
      name: 'The application',
      ...forPeople,
      grants: ['authorization_code', 'refresh_token'],
      redirectUris: ['http://localhost:3000/callback', 'http://127.0.0.1:3000/callback'],
    },
    { id: 'tv', name: 'The television', ...forPeople, grants: [deviceGrant, 'refresh_token'] },
  ]
}

/** What to paste to see the main job done: for a machine, and for a person. */
export const demoTranscript = (issuer: string, masterKey: Buffer): string => `
Paste this in another terminal:
${machineTranscript(issuer, masterKey)}
To sign in, first make an account. Open this in a browser; it works until there is one:

  ${issuer}/setup?token=${setupTokenFrom(masterKey)}

Then let a device in. Paste this, open the link that it prints, sign in and agree:
${deviceTranscript(issuer)}
An application signs people in as the client "web": README.md has one to paste.

Everything is kept in ./data; nothing but this machine can reach it. Press Ctrl-C to stop.
`

/** The shell's way to a member of a JSON object. */
const member = (name: string): string => `sed 's/.*"${name}":"\\([^"]*\\)".*/\\1/'`

function machineTranscript(issuer: string, masterKey: Buffer): string {
  const curl = (id: string) => `curl -s -u ${id}:${demoSecret(masterKey, id)}`
  return `
  # a machine gets a token
  TOKEN=$(${curl('batch')} -d grant_type=client_credentials ${issuer}/oauth2/token | ${member('access_token')}); echo $TOKEN

  # a resource server asks whether it is good, and for what
  ${curl('reports-api')} -d token=$TOKEN ${issuer}/oauth2/introspect; echo

  # the machine takes it back
  ${curl('batch')} -d token=$TOKEN ${issuer}/oauth2/revoke -w 'revoked: %{http_code}\\n'

  # and it is good no more
  ${curl('reports-api')} -d token=$TOKEN ${issuer}/oauth2/introspect; echo

  # the audit journal has all of it (/audit/v1/events/stream follows it live)
  ${curl('operator')} '${issuer}/audit/v1/events?limit=3'; echo
`
}

const deviceTranscript = (issuer: string): string => `
  # the device asks to be let in, and shows where
  DEVICE=$(curl -s -d client_id=tv ${issuer}/oauth2/device_authorization); echo $DEVICE | ${member('verification_uri_complete')}

  # it asks every 5 s whether it is, for 10 minutes
  CODE=$(echo $DEVICE | ${member('device_code')})
  for n in $(seq 120); do sleep 5; TOKENS=$(curl -sf -d client_id=tv -d grant_type=${deviceGrant} -d device_code=$CODE ${issuer}/oauth2/token) && break; done

  # and knows who you are
  curl -s -H "authorization: Bearer $(echo $TOKENS | ${member('access_token')})" ${issuer}/oauth2/userinfo; echo
`
