import type { KeyObject } from 'node:crypto'
import { Failure, type Millis } from '@countersign/contracts'
import type {
  ListKeysRequest,
  ListKeysResponse,
  RevokeRequest,
  RevokeResponse,
  RotateKeysRequest,
  RotateKeysResponse,
  SigningKey as SigningKeyMessage,
} from '@countersign/contracts/administration'
import type { SigningKey } from '@countersign/contracts/records'
import { signingAlgorithms, type SigningAlgorithm } from '@countersign/tokens'
import { publicJwkOf, stateOf } from '@countersign/tokens/keys'
import { readSigningKeys, rotateSigningKeys } from '../keys/index.ts'
import { operatorOf, type CallContext, type OperatorsOptions } from './callers.ts'
import { Revocations, type RevocationsOptions } from './revocation.ts'

/** The contract `countersign.administration.v1.Administration`, whatever carries it. Throws Failures. */
export interface AdministrationCalls {
  listKeys(request: ListKeysRequest, context: CallContext): Promise<ListKeysResponse>
  rotateKeys(request: RotateKeysRequest, context: CallContext): Promise<RotateKeysResponse>
  revoke(request: RevokeRequest, context: CallContext): Promise<RevokeResponse>
}

export interface AdministrationOptions extends RevocationsOptions, Pick<OperatorsOptions, 'authentication'> {
  /** The current one first. */
  sealKeys: readonly KeyObject[]
  now: () => Millis
  commitId: () => string
}

/** What operators ask; all of it needs a client with `administers`. */
export function administrationCalls(options: AdministrationOptions): AdministrationCalls {
  const { store, now, commitId } = options
  const revocations = new Revocations(options)
  const messages = (keys: readonly SigningKey[]) => ({ keys: keys.map((key) => keyMessage(key, now())) })

  return {
    async listKeys(_request, context) {
      await operatorOf(context, options)
      return messages(await readSigningKeys(store))
    },

    async rotateKeys({ alg, compromised }, context) {
      const asker = await operatorOf(context, options)
      return messages(await rotateSigningKeys(options, { alg: algorithmOf(alg), compromised }, asker))
    },

    async revoke(request, context) {
      const asker = await operatorOf(context, options)
      const committed = await revocations.revoke(request, () => ({ commitId: commitId(), asker, now: now() }))
      return { revision: committed.map(({ revision }) => revision).join(' ') }
    },
  }
}

/** @throws Failure `invalid_request` */
function algorithmOf(alg: string): SigningAlgorithm | undefined {
  if (alg === '') return undefined
  const known = signingAlgorithms.find((each) => each === alg)
  if (!known) throw new Failure('invalid_request', `alg is one of ${signingAlgorithms.join(', ')}`)
  return known
}

/** What may be told of a key: nothing of its private part. */
function keyMessage(key: SigningKey, now: Millis): SigningKeyMessage {
  const { kid, alg, createdAt, activeAt, retiredAt } = key
  const publicJwk = JSON.stringify(publicJwkOf(key))
  return { kid, alg, state: stateOf(key, now), createdAt, activeAt, retiredAt, publicJwk }
}
