import { accountKey, decodeAccount } from '@countersign/accounts'
import { Failure, type Partition } from '@countersign/contracts'
import { ClientRecord, SubjectRecord } from '@countersign/contracts/records'
import {
  clientKey,
  createRecordReader,
  exchange,
  readJws,
  subjectKey,
  tokenKey,
  tokenSecretBytes,
  type Client,
  type ExchangeTerms,
  type PresentedToken,
  type TokenPlace,
} from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { versioned } from '../authorization/state.ts'
import { decideAndCommit } from '../decide.ts'
import { limits } from '../limits.ts'
import { placeOf } from '../revoke.ts'
import type { SubjectNames } from '../subject-names.ts'
import { placeOfIdentity, placeOfKnownIdentity } from '../upstream/identity.ts'
import { exchangeUpstream } from '../upstream/issue.ts'
import type { UpstreamTokens } from '../upstream/token.ts'
import type { GrantOptions } from './grants.ts'
import { decidingFor, required, resourcesOf, type Given, type GrantHandler, type TokenRequest } from './request.ts'

export interface TokenExchangeOptions extends Pick<
  GrantOptions,
  'store' | 'format' | 'now' | 'commitId' | 'randomBytes'
> {
  partitions: number
  issuer: string
  keyRing: Pick<KeyRing, 'verify'>
  subjectNames: SubjectNames
  /** A resource’s audience, by that itself or by the resource’s id. */
  audienceOf: (name: string) => string | undefined
  upstream: UpstreamTokens
}

/** RFC 8693 section 3. */
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'

/** What is presented: where its record is, or a token that must be of another issuer. */
type Presented = { readonly own: TokenPlace } | { readonly foreign: string; readonly isIdToken: boolean }

const notGood = (name: string): Failure =>
  new Failure('invalid_request', `${name} is expired, revoked, or not for this client (RFC 8693 section 2.2.2)`)

/** RFC 8693: a token for another, narrower or elsewhere. */
export function tokenExchangeGrant(options: TokenExchangeOptions): GrantHandler {
  const exchanges = new TokenExchange(options)
  return (request) => exchanges.give(request)
}

class TokenExchange {
  readonly #options: TokenExchangeOptions
  readonly #records = createRecordReader()

  constructor(options: TokenExchangeOptions) {
    this.#options = options
  }

  async give(request: TokenRequest): Promise<Given> {
    const { client, form } = request
    const issuedTokenType = issuedTokenTypeFor(client, form.get('requested_token_type'))
    const subject = await this.#read(form, 'subject_token')
    const actor = await this.#readActor(form)
    const issued =
      'own' in subject
        ? await this.#exchangeOwn(request, subject.own, actor)
        : await this.#exchangeForeign(request, subject, actor)
    return { access: issued!.access, issuedTokenType }
  }

  async #read(form: ReadonlyMap<string, string>, name: 'subject_token' | 'actor_token'): Promise<Presented> {
    const token = required(form, name)
    const type = required(form, `${name}_type`)
    if (token.length > limits.exchangedTokenCharacters) throw new Failure('invalid_request', `${name} is too long`)
    if (![accessTokenType, jwtType, idTokenType].includes(type)) {
      throw new Failure('invalid_request', `${name}_type is none that is taken here`)
    }
    if (token.startsWith('eyJ')) {
      const issuer = readJws(token, limits.exchangedTokenCharacters)?.payload.iss
      if (issuer !== this.#options.issuer) return { foreign: token, isIdToken: type === idTokenType }
    }
    const own = type === accessTokenType ? await placeOf(token, this.#options) : undefined
    if (!own) throw notGood(name)
    return { own }
  }

  async #readActor(form: ReadonlyMap<string, string>): Promise<TokenPlace | undefined> {
    if (!form.has('actor_token') && !form.has('actor_token_type')) return undefined
    const actor = await this.#read(form, 'actor_token')
    if ('own' in actor) return actor.own
    throw new Failure('invalid_request', 'actor_token must be an access token of ours')
  }

  async #held(parsed: TokenPlace, name: string): Promise<PresentedToken> {
    const entries = await this.#options.store.follow(tokenKey(parsed.partition, parsed.recordDigest))
    if (!entries) throw notGood(name)
    return { parsed, held: this.#records.held(entries) }
  }

  /** What is decided from, whatever is exchanged. */
  async #terms(
    { client, form, confirmation }: TokenRequest,
    actor: TokenPlace | undefined,
    partition: Partition,
  ): Promise<ExchangeTerms> {
    const { store, audienceOf } = this.#options
    const [acting, [record]] = await Promise.all([
      actor && this.#held(actor, 'actor_token'),
      store.get([clientKey(partition, client.id)]),
    ])
    const clientRecord = record && versioned(record, ClientRecord)
    const resources = targetsOf(form, audienceOf)
    return { client, clientRecord, actor: acting, scope: form.get('scope'), resources, confirmation }
  }

  #exchangeOwn(request: TokenRequest, place: TokenPlace, actor: TokenPlace | undefined) {
    const { store, format, randomBytes } = this.#options
    return decideAndCommit(store, async () => {
      const [subject, terms] = await Promise.all([
        this.#held(place, 'subject_token'),
        this.#terms(request, actor, place.partition),
      ])
      const by = decidingFor(request, this.#options)
      return exchange({ ...terms, subject }, format, randomBytes(tokenSecretBytes), by)
    })
  }

  async #exchangeForeign(
    request: TokenRequest,
    { foreign, isIdToken }: { foreign: string; isIdToken: boolean },
    actor: TokenPlace | undefined,
  ) {
    const { store, format, upstream, subjectNames, randomBytes } = this.#options
    const token = await upstream.verify(foreign, isIdToken, request.confirmation)
    const place = await (token.mayBeNew ? placeOfIdentity : placeOfKnownIdentity)(this.#options, token)
    const { accountId, partition } = place
    const toldSubject = subjectNames.toldTo(request.client, accountId)
    return decideAndCommit(store, async () => {
      const [terms, [account, owner]] = await Promise.all([
        this.#terms(request, actor, partition),
        store.get([accountKey(partition, accountId), subjectKey(partition, accountId)]),
      ])
      const person = {
        account: account && decodeAccount(account.value),
        owner: owner && versioned(owner, SubjectRecord),
      }
      const grantId = Buffer.from(randomBytes(limits.handleBytes)).toString('base64url')
      const secrets = { token: randomBytes(tokenSecretBytes), grantId }
      const by = decidingFor(request, this.#options)
      return exchangeUpstream({ ...terms, ...person, token, place, toldSubject }, format, secrets, by)
    })
  }
}

/** RFC 8693 section 2.1: resources by their URI, or by a name. */
function targetsOf(form: ReadonlyMap<string, string>, audienceOf: TokenExchangeOptions['audienceOf']): string[] {
  const names = (form.get('audience') ?? '').split(' ').filter((name) => name !== '')
  const audiences = names.map((name) => {
    const audience = audienceOf(name)
    if (audience === undefined) throw new Failure('invalid_target', 'there is no such audience here')
    return audience
  })
  return [...resourcesOf(form), ...audiences]
}

/** RFC 8693 section 2.2.1: what was asked for, and can be had. */
function issuedTokenTypeFor({ accessTokenFormat }: Client, requested: string | undefined): string {
  if (requested === undefined || requested === accessTokenType) return accessTokenType
  if (requested === jwtType && accessTokenFormat === 'jwt') return jwtType
  throw new Failure('invalid_request', 'requested_token_type is none that this client can have')
}
