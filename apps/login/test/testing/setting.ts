import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { AccountsService } from '@countersign/contracts/accounts'
import { createRpcClient } from '@countersign/rpc'
import { freePort, startEmbedded, startStack, type Embedded, type Stack } from '@countersign/servers'
import { HostileProvider } from '@countersign/service-login/testing/hostile-provider'
import { startMailServer, type MailServer } from '@countersign/service-login/testing/mail-server'
import { startOpenIdProvider } from '@countersign/service-login/testing/openid-provider'

export type StackName = 'embedded' | 'four processes'

export const audience = 'https://reports.example'
export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

const accountsOf = (target: string, secret: string) =>
  createRpcClient(AccountsService, {
    target,
    allowPlaintext: true,
    client: { id: 'admin', secret },
    deadlineMs: 30_000,
    idempotent: ['getAccount', 'listAccounts'],
  })

/** Countersign with three providers that are not ours, accounts of its own, a mail server, and applications. */
export interface Setting {
  readonly at: Embedded | Stack
  readonly issuerUrl: string
  /** Where applications have browsers sent back to. */
  readonly callbackUrl: string
  readonly mail: MailServer
  /** OAuth 2.0 without OpenID Connect; who signs in there is `person`, once one of them is made. */
  readonly hub: HostileProvider
  /** As an operator. */
  readonly accounts: ReturnType<typeof accountsOf>
  stop(): Promise<void>
}

interface Parts {
  one: string
  two: string
  hub: HostileProvider
  mail: MailServer
  callbackUrl: string
  secret: string
}

const configOf = ({ one, two, hub, mail }: Parts, secrets: Record<'one' | 'two', string>): string => `
providers:
  - { id: one, name: Provider One, kind: oidc, issuer: ${one}, client_id: countersign, client_secret: ${secrets.one},
      scopes: [openid, email, profile, groups], roles_claim: groups }
  - { id: two, name: Provider Two, kind: oidc, issuer: ${two}, client_id: countersign, client_secret: ${secrets.two} }
  - { id: hub, name: The Hub, kind: oauth2, client_id: ${hub.clientId}, client_secret: '${hub.clientSecret}',
      authorization_url: ${hub.issuer}/authorize, token_url: ${hub.issuer}/token, userinfo_url: ${hub.issuer}/userinfo,
      attributes: { department: team.name } }
  - { id: staff, kind: local }
roles:
  - { grant: [editor], when: { provider: one, roles: [writers] } }
  - { grant: [auditor], when: { provider: two, email_domains: [example.org] } }
  - { grant: [librarian], when: { attributes: { department: [library] } } }
mail: { url: 'smtp://127.0.0.1:${mail.port}', from: Countersign <no-reply@example.org> }
pages: { name: Meridian, support: https://meridian.example/help }
`

const scopes = "scopes: [openid, profile, email, roles, offline_access, 'read:reports'], audience: [reports]"

/** As lines of the configuration. */
const clientsOf = ({ callbackUrl, secret }: Parts): string[] => {
  const codes = `public: true, grants: [authorization_code, refresh_token], redirect_uris: ['${callbackUrl}'], ${scopes}`
  return [
    `{ id: web, name: Web shop, ${codes} }`,
    `{ id: signed, name: Signed shop, access_token_format: jwt, ${codes} }`,
    `{ id: television, name: Television, public: true, grants: ['${deviceGrant}', refresh_token], ${scopes} }`,
    `{ id: admin, secret: ${secret}, admin: true }`,
  ]
}

/** The web server of all applications: a page for whoever is sent back. */
async function startApplications(): Promise<Server> {
  const page = '<!doctype html><html lang="en"><title>Shop</title><h1>Back at the shop</h1>'
  const server = createServer((_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(page))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

export async function startSetting(stack: StackName): Promise<Setting> {
  const started: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of started.toReversed()) await end()
  }
  try {
    // Browsers know passkeys for names alone, not for addresses.
    const issuer = `http://localhost:${await freePort()}`
    const secret = () => randomBytes(24).toString('base64url')
    const secrets = { one: secret(), two: secret() }
    const startProvider = async (id: 'one' | 'two', claims: Record<string, unknown>) => {
      const redirectUris = [`${issuer}/login/callback/${id}`]
      const returnUris = [`${issuer}/login`]
      const settings = { clientId: 'countersign', clientSecret: secrets[id], redirectUris, returnUris, claims }
      const provider = await startOpenIdProvider({ ...settings, path: `/realms/${id}` })
      started.push(() => provider.stop())
      return provider.issuer
    }
    const one = await startProvider('one', { groups: ['writers'] })
    const two = await startProvider('two', {})
    const hub = await new HostileProvider().start()
    started.push(() => hub.stop())
    const mail = await startMailServer()
    started.push(() => mail.stop())
    const applications = await startApplications()
    started.push(() => close(applications))
    const { port } = applications.address() as { port: number }
    const parts: Parts = { one, two, hub, mail, callbackUrl: `http://127.0.0.1:${port}/callback`, secret: secret() }
    const options = { issuer, config: configOf(parts, secrets), clients: clientsOf(parts) }
    const at = stack === 'embedded' ? await startEmbedded(options) : await startStack({ ...options, gateway: true })
    started.push(() => at.stop())
    const login = 'processes' in at ? at.processes.login!.grpcTarget : at.grpcTarget
    const accounts = accountsOf(login, parts.secret)
    started.push(async () => accounts.close())
    return { at, issuerUrl: issuer, callbackUrl: parts.callbackUrl, mail, hub, accounts, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}
