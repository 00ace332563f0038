import { hash, randomBytes } from 'node:crypto'
import type { HttpRequest, Route } from '@countersign/chassis'
import { asFailure, decodeEvent, type AuthorizationCalls, type Partition } from '@countersign/contracts'
import type { Answer, SessionName, SignInRequest, SubjectChange } from '@countersign/contracts/authorization'
import type { Event } from '@countersign/contracts/events'
import { newCommitId, type Key, type LoggedFact, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import {
  buildClients,
  createClientAuthentication,
  createRecordReader,
  describe as describeToken,
  newSessionCookie,
  Secrets,
  sessionNameOf,
  tokenKey,
  type ClientDefinition,
  type Introspection,
} from '@countersign/tokens'
import { placeOf } from '../../revoke.ts'
import { createTokenIssuer, type TokenIssuer } from '../../service.ts'
import { plainSettings } from '../../testing/settings.ts'

const hourMs = 3_600_000
export const redirectUri = 'https://app.example/cb'
const verifier = 'v'.repeat(43)
const codeChallenge = hash('sha256', verifier, 'base64url')
const scopes = ['openid', 'profile', 'roles', 'offline_access', 'read']
const common = {
  public: true,
  grants: ['authorization_code', 'refresh_token'],
  scopes,
  audience: ['reports'],
  redirectUris: [redirectUri],
}
const definitions: ClientDefinition[] = [
  { ...common, id: 'own', name: 'Our own', consent: false },
  { ...common, id: 'web', name: 'A web application' },
  { ...common, id: 'other', name: 'Backups' },
  { ...common, id: 'signed', name: 'Signed', consent: false, accessTokenFormat: 'jwt' },
]
const masterKey = randomBytes(32)
const secrets = new Secrets()
const resources = [{ id: 'reports', audience: 'https://reports.example' }]
const open = { blockedSeconds: () => undefined, fail: () => undefined }
export const asker = { address: '192.0.2.7', userAgent: 'Firefox', traceparent: '', operatorId: '' }
export const operator = { ...asker, operatorId: 'cli' }

export interface Tokens {
  readonly access: string
  readonly refresh: string
  readonly idToken: Record<string, unknown>
}

/** A token issuer with applications, as login and they call it, and a store that counts what it is asked. */
export class World {
  at = Date.now()
  readonly partitions: number
  readonly calls: string[] = []
  readonly inner = createMemoryStore({ now: () => this.at })
  readonly store: Store
  issuer!: TokenIssuer
  authorization!: AuthorizationCalls
  readonly #records = createRecordReader()
  readonly #settings = plainSettings(masterKey)

  constructor(partitions = 1) {
    this.partitions = partitions
    this.store = new Proxy(this.inner, {
      get: (inner, name) => {
        const member: unknown = Reflect.get(inner, name)
        if (typeof member !== 'function') return member
        if (['get', 'follow', 'list', 'facts', 'commit'].includes(String(name))) {
          return (...given: unknown[]) => {
            this.calls.push(String(name))
            return (member as (...all: unknown[]) => unknown).apply(inner, given)
          }
        }
        return member.bind(inner) as unknown
      },
    })
  }

  async open(): Promise<this> {
    const clients = buildClients(definitions, resources, secrets, {
      accessTokenMs: hourMs,
      refreshTokenMs: 24 * hourMs,
    })
    this.issuer = await createTokenIssuer({
      ...this.#settings,
      store: this.store,
      partitions: this.partitions,
      clients: () => clients,
      authenticationWith: () => createClientAuthentication(() => clients, secrets, open),
      scopes: () => new Map([['read', 'Read reports']]),
      now: () => this.at,
      commitId: newCommitId,
      randomBytes,
    })
    this.authorization = this.issuer.authorization
    return this
  }

  async #call(path: string, over: Partial<HttpRequest>) {
    const route: Route = this.issuer.routes.find((each) => each.path === path)!
    const { address, userAgent } = asker
    const plain = { method: 'GET', path, query: '', headers: {}, body: Buffer.from(''), headerValues: () => [] }
    const request = { ...plain, address, userAgent, traceparent: '', ...over } as unknown as HttpRequest
    try {
      return await route.methods[request.method as 'GET' | 'POST']!(request)
    } catch (thrown) {
      return route.onFailure(asFailure(thrown), request)
    }
  }

  /** @returns the id of a request that waits for somebody to sign in */
  async ask(clientId: string, scope = 'openid read'): Promise<string> {
    const challenge = { code_challenge: codeChallenge, code_challenge_method: 'S256' }
    const parameters = { client_id: clientId, redirect_uri: redirectUri, response_type: 'code', scope, ...challenge }
    const query = new URLSearchParams(parameters).toString()
    const { headers } = await this.#call('/oauth2/authorize', { query })
    return new URL(headers!.location!).searchParams.get('request')!
  }

  newSession = (partition: Partition = 0): SessionName => sessionNameOf(newSessionCookie(partition, randomBytes(32)))

  async signIn(subject: string, over: Partial<SignInRequest> = {}) {
    const session = over.session ?? this.newSession()
    const how = { amr: ['pwd'], acr: '', idleMs: hourMs, absoluteMs: 12 * hourMs, provider: 'staff' }
    const given = { roles: [], attributes: [], errand: undefined, previous: undefined, asker }
    const response = await this.authorization.signIn({ session, subject, ...how, ...given, ...over })
    return { name: session, response }
  }

  /** Goes through all of it: a request, consent where it is asked for, a code and its tokens. */
  async tokens(clientId: string, session: SessionName, scope?: string): Promise<Tokens> {
    return this.redeem(clientId, await this.code(clientId, session, scope))
  }

  async code(clientId: string, session: SessionName, scope = 'openid read'): Promise<string> {
    const errand = { errand: { $case: 'requestId', value: await this.ask(clientId, scope) } } as const
    const { next } = await this.authorization.continue({ errand, session, asker })
    if (next!.next!.$case === 'answer') return codeIn(next!.next!.value)
    const agreed = await this.authorization.agree({ errand, session, scopes: scope.split(' '), asker })
    return codeIn((agreed.next!.next as { value: Answer }).value)
  }

  async redeem(clientId: string, code: string): Promise<Tokens> {
    const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
    return tokensIn(await this.post({ ...grant, client_id: clientId }))
  }

  async refresh(clientId: string, { refresh }: Pick<Tokens, 'refresh'>): Promise<Tokens> {
    return tokensIn(await this.post({ grant_type: 'refresh_token', refresh_token: refresh, client_id: clientId }))
  }

  async post(form: Record<string, string>): Promise<Record<string, string>> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = Buffer.from(new URLSearchParams(form).toString())
    const answer = await this.#call('/oauth2/token', { method: 'POST', headers, body })
    return JSON.parse(String(answer.body)) as Record<string, string>
  }

  async userinfo(token: string): Promise<Record<string, unknown>> {
    const answer = await this.#call('/oauth2/userinfo', { headers: { authorization: `Bearer ${token}` } })
    return JSON.parse(String(answer.body)) as Record<string, unknown>
  }

  async introspect(token: string): Promise<Introspection> {
    const { format, issuer } = this.#settings
    const keyRing = { verify: () => Promise.resolve({ header: {}, payload: { iss: issuer, ...payloadOf(token) } }) }
    const place = await placeOf(token, { format, issuer, keyRing: keyRing as never })
    const entries = place && (await this.inner.follow(tokenKey(place.partition, place.recordDigest)))
    return entries ? describeToken(this.#records.held(entries), place!.digest, this.at) : { active: false }
  }

  async isLive(token: string): Promise<boolean> {
    return (await this.introspect(token)).active
  }

  async isSignedIn(session: SessionName): Promise<boolean> {
    return (await this.authorization.getSession({ session })).session !== undefined
  }

  change(
    subject: string,
    change: SubjectChange,
    over: Partial<Parameters<AuthorizationCalls['changeSubject']>[0]> = {},
  ) {
    const plain = { partition: 0, roles: [], asker: operator, reason: '', except: undefined }
    return this.authorization.changeSubject({ ...plain, subject, change, ...over })
  }

  async told(partition: Partition = 0): Promise<Event[]> {
    return (await this.inner.outbox(partition).read(0, 10_000)).map(({ event }) => decodeEvent(event))
  }

  async facts(partition: Partition = 0): Promise<LoggedFact['fact'][]> {
    const { revision } = await this.inner.facts(partition, undefined)
    return (await this.inner.facts(partition, revision.replace(/\d+$/, '0'))).facts.map(({ fact }) => fact)
  }

  async has(key: Key): Promise<boolean> {
    return (await this.inner.get([key]))[0] !== undefined
  }
}

const codeIn = ({ uri }: Answer): string => new URL(uri).searchParams.get('code')!

export const payloadOf = (token: string): Record<string, unknown> =>
  token.startsWith('eyJ')
    ? (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>)
    : {}

function tokensIn(answer: Record<string, string>): Tokens {
  if (answer.access_token === undefined) throw new Error(answer.error)
  const { access_token: access, refresh_token: refresh = '', id_token: idToken = '' } = answer
  return { access, refresh, idToken: payloadOf(idToken) }
}
