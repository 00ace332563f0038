import { RegistrationRecord } from '@countersign/contracts/records'
import { keyOf, type Key, type Listing } from '@countersign/store'
import type { ClientMetadata } from './metadata.ts'

/** All registrations; in partition 0. */
export const registrationListing: Listing = keyOf(0, 'registrations')
export const registrationKey = (clientId: string): Key => keyOf(0, `registration/${clientId}`)

const idForm = /^cs_client_[A-Za-z0-9_-]{22}$/

/** The id of a client that registers itself. @param random 16 bytes */
export const registeredId = (random: Uint8Array): string => `cs_client_${Buffer.from(random).toString('base64url')}`
export const isRegisteredId = (id: string): boolean => idForm.test(id)

const blank = RegistrationRecord.decode(new Uint8Array())

/** A record with what is not given left empty. */
export const registrationRecord = (fields: Partial<RegistrationRecord>): RegistrationRecord => ({ ...blank, ...fields })

/** Undefined while it is being made or unmade: then there is no such client, and whoever finds it so takes it away. */
export const metadataOf = ({ metadata }: RegistrationRecord): ClientMetadata | undefined =>
  metadata === '' ? undefined : (JSON.parse(metadata) as ClientMetadata)
