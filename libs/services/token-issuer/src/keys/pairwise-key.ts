import { createSecretKey, type KeyObject } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { keyOf, type Store } from '@countersign/store'
import { beginCommit, seal, unseal } from '@countersign/tokens'
import { decideAndCommit } from '../decide.ts'
import { limits } from './limits.ts'

const key = keyOf(0, 'pairwise-key')
const context = 'pairwise key'

export interface PairwiseKeyOptions {
  store: Pick<Store, 'get' | 'commit'>
  /** The current one first. */
  sealKeys: readonly KeyObject[]
  commitId: () => string
  randomBytes: (bytes: number) => Uint8Array
}

/**
 * What pairwise subjects are made under (OpenID Connect Core section 8.1): made once, and the same for ever, whatever becomes of
 * the master key. Sealed under the current one.
 * @throws Failure `internal` when it was sealed under none of these keys
 */
export async function openPairwiseKey({
  store,
  sealKeys,
  commitId,
  randomBytes,
}: PairwiseKeyOptions): Promise<KeyObject> {
  let opened: Uint8Array | undefined
  await decideAndCommit(store, async () => {
    const [held] = await store.get([key])
    opened = held ? unseal(sealKeys, held.value, context) : randomBytes(limits.pairwiseKeyBytes)
    if (!opened) {
      throw new Failure(
        'internal',
        'the key of pairwise subjects was sealed under another master key: configure that one',
      )
    }
    if (held && unseal([sealKeys[0]!], held.value, context)) return undefined
    const commit = beginCommit({ commitId: commitId() }, 0)
    commit.checks.push({ key, version: held?.version ?? null })
    commit.puts.push({ key, value: seal(sealKeys[0]!, opened, context) })
    return { commit }
  })
  return createSecretKey(opened!)
}
