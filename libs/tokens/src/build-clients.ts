import { hash } from 'node:crypto'
import type { Client, Clients } from './client.ts'
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

/** Resolves what the configuration says into what the services use. References were checked when it was read. */
export function buildClients(
  definitions: readonly ClientDefinition[],
  resources: readonly ResourceDefinition[],
  secrets: Secrets,
  accessTokenLifetimeMs: number,
): Clients {
  const audiences = new Map(resources.map((resource) => [resource.id, resource.audience]))
  const resolve = (ids: readonly string[]) => ids.flatMap((id) => audiences.get(id) ?? [])
  const build = (definition: ClientDefinition): Client => {
    const { id, grants = [], scopes = [], audience = [], introspect = [], secret, previousSecret } = definition
    const told = {
      id,
      public: definition.public ?? false,
      grants,
      scopes,
      redirectUris: definition.redirectUris ?? [],
      requiresPkce: definition.public === true || definition.requirePkce !== false,
      audience: resolve(audience),
      readsAudit: definition.audit ?? false,
      accessTokenLifetimeMs: definition.accessTokenLifetimeMs ?? accessTokenLifetimeMs,
      certificate: certificateOf(definition),
    }
    return {
      ...told,
      secrets: [secret, previousSecret].flatMap((each) => (each ? [secrets.hold(each.reveal())] : [])),
      introspects: introspect.includes('*') ? 'every' : new Set(resolve(introspect)),
      digest: hash('sha256', JSON.stringify([told, introspect]), 'base64url'),
    }
  }
  return new Map(definitions.map((definition) => [definition.id, build(definition)]))
}
