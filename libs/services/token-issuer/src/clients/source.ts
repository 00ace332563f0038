import { RegistrationRecord } from '@countersign/contracts/records'
import type { Store } from '@countersign/store'
import { audienceResolver, buildClient, type Client, type Clients, type Secrets } from '@countersign/tokens'
import { limits } from '../limits.ts'
import { definitionOf, type RegisteredClientSettings } from '../registration/definition.ts'
import { isRegisteredId, metadataOf, registrationKey } from '../registration/record.ts'

/** Where clients are known: those of the configuration at once, those that registered themselves from the store. */
export interface ClientSource {
  find(id: string): Client | undefined | Promise<Client | undefined>
}

export interface ClientSourceOptions {
  configured: () => Clients
  store: Pick<Store, 'get'>
  secrets: Secrets
  /** The same object until the configuration changes. */
  settings: () => RegisteredClientSettings
}

/** Registered clients are read with each request, so that all replicas have the same; what they are is worked out once per version. */
export function createClientSource({ configured, store, secrets, settings }: ClientSourceOptions): ClientSource {
  const held = new Map<string, { version: string; client: Client }>()
  let builtWith: RegisteredClientSettings | undefined

  async function read(id: string): Promise<Client | undefined> {
    const [entry] = await store.get([registrationKey(id)])
    const current = settings()
    if (builtWith !== current) held.clear()
    builtWith = current
    const known = held.get(id)
    if (known && known.version === entry?.version) return known.client
    held.delete(id)
    const record = entry && RegistrationRecord.decode(entry.value)
    const metadata = record && metadataOf(record)
    if (!metadata) return undefined
    const { resources, lifetimes } = current
    const client = buildClient(definitionOf(record, metadata, current), audienceResolver(resources), secrets, lifetimes)
    if (held.size >= limits.clientsHeld) held.clear()
    held.set(id, { version: entry.version, client })
    return client
  }

  return {
    find(id) {
      const known = configured().get(id)
      return known || !isRegisteredId(id) ? known : read(id)
    },
  }
}
