import { hash } from 'node:crypto'
import {
  signingAlgorithms,
  type AuthenticationMethod,
  type Client,
  type ClientKeys,
  type Clients,
  type SigningAlgorithm,
} from './client.ts'
import type { Secrets } from './secret.ts'

/** A secret that must be asked for. */
interface Revealable {
  reveal(): string
}

/** A client as it is configured: references not resolved, secrets not held yet. */
export interface ClientDefinition {
  readonly id: string
  readonly public?: boolean
  readonly secret?: Revealable | undefined
  /** Still good while the other is being rolled out. */
  readonly previousSecret?: Revealable | undefined
  readonly grants?: readonly string[]
  readonly scopes?: readonly string[]
  /** Resource ids. */
  readonly audience?: readonly string[]
  /** Resource ids, or `*`. */
  readonly introspect?: readonly string[]
  readonly redirectUris?: readonly string[]
  readonly requirePkce?: boolean
  readonly audit?: boolean
  readonly accessTokenLifetimeMs?: number | undefined
  readonly refreshTokenLifetimeMs?: number | undefined
  readonly name?: string | undefined
  readonly uri?: string | undefined
  readonly logoUri?: string | undefined
  readonly policyUri?: string | undefined
  readonly tosUri?: string | undefined
  readonly registeredItself?: boolean
  readonly authenticationMethod?: AuthenticationMethod | undefined
  readonly jwks?: ClientKeys['jwks']
  readonly jwksUri?: string | undefined
  readonly requirePushedRequests?: boolean
  readonly requireDpop?: boolean
  readonly bindCertificate?: boolean
  readonly consent?: boolean
  readonly accessTokenFormat?: 'opaque' | 'jwt'
  readonly idTokenAlgorithm?: SigningAlgorithm
  /** Pairwise where this is a host. */
  readonly pairwiseSector?: string | undefined
  readonly postLogoutRedirectUris?: readonly string[]
  readonly backchannelLogoutUri?: string | undefined
  readonly admin?: boolean
  readonly tlsClientAuthSanDns?: string | undefined
  readonly tlsClientAuthSubjectDn?: string | undefined
}

export interface ResourceDefinition {
  readonly id: string
  /** A URI. */
  readonly audience: string
}

function certificateOf({ tlsClientAuthSanDns: sanDns, tlsClientAuthSubjectDn: subjectDn }: ClientDefinition) {
  return sanDns === undefined && subjectDn === undefined ? undefined : { sanDns, subjectDn }
}

/** A client that has nothing but keys can only authenticate by them. */
function methodOf({
  secret,
  jwks,
  jwksUri,
  public: isPublic,
  ...rest
}: ClientDefinition): AuthenticationMethod | undefined {
  const hasKeys = jwks !== undefined || jwksUri !== undefined
  return hasKeys && !secret && !isPublic && !certificateOf(rest as ClientDefinition) ? 'private_key_jwt' : undefined
}

/** Milliseconds that what is issued is good for, where a client has none of its own. */
export interface TokenLifetimes {
  readonly accessTokenMs: number
  readonly refreshTokenMs: number
}

/** One client as the services use it, of its definition. */
export function buildClient(
  definition: ClientDefinition,
  resolve: (ids: readonly string[]) => string[],
  secrets: Secrets,
  lifetimes: TokenLifetimes,
): Client {
  const { id, introspect = [], secret, previousSecret, jwks, jwksUri } = definition
  const told = {
    id,
    name: definition.name ?? id,
    uri: definition.uri ?? '',
    logoUri: definition.logoUri ?? '',
    policyUri: definition.policyUri ?? '',
    tosUri: definition.tosUri ?? '',
    registeredItself: definition.registeredItself ?? false,
    public: definition.public ?? false,
    authenticationMethod: definition.authenticationMethod ?? methodOf(definition),
    keys: jwks === undefined && jwksUri === undefined ? undefined : { jwks, jwksUri },
    grants: definition.grants ?? [],
    scopes: definition.scopes ?? [],
    redirectUris: definition.redirectUris ?? [],
    requiresPkce: definition.public === true || definition.requirePkce !== false,
    requiresPushedRequests: definition.requirePushedRequests ?? false,
    requiresDpop: definition.requireDpop ?? false,
    bindsCertificate: definition.bindCertificate ?? false,
    asksConsent: definition.consent ?? true,
    accessTokenFormat: definition.accessTokenFormat ?? 'opaque',
    idTokenAlgorithm: definition.idTokenAlgorithm ?? signingAlgorithms[0],
    pairwiseSector: definition.pairwiseSector,
    postLogoutRedirectUris: definition.postLogoutRedirectUris ?? [],
    backchannelLogoutUri: definition.backchannelLogoutUri ?? '',
    audience: resolve(definition.audience ?? []),
    readsAudit: definition.audit ?? false,
    administers: definition.admin ?? false,
    accessTokenLifetimeMs: definition.accessTokenLifetimeMs ?? lifetimes.accessTokenMs,
    refreshTokenLifetimeMs: definition.refreshTokenLifetimeMs ?? lifetimes.refreshTokenMs,
    certificate: certificateOf(definition),
  } as const
  return {
    ...told,
    secrets: [secret, previousSecret].flatMap((each) => (each ? [secrets.hold(each.reveal())] : [])),
    introspects: introspect.includes('*') ? 'every' : new Set(resolve(introspect)),
    digest: hash('sha256', JSON.stringify([told, introspect]), 'base64url'),
  }
}

/** Turns ids of resources into their audiences; unknown ones were refused when the configuration was read. */
export function audienceResolver(resources: readonly ResourceDefinition[]): (ids: readonly string[]) => string[] {
  const audiences = new Map(resources.map((resource) => [resource.id, resource.audience]))
  return (ids) => ids.flatMap((id) => audiences.get(id) ?? [])
}

/** Resolves what the configuration says into what the services use. References were checked when it was read. */
export function buildClients(
  definitions: readonly ClientDefinition[],
  resources: readonly ResourceDefinition[],
  secrets: Secrets,
  lifetimes: TokenLifetimes,
): Clients {
  const resolve = audienceResolver(resources)
  return new Map(definitions.map((definition) => [definition.id, buildClient(definition, resolve, secrets, lifetimes)]))
}
