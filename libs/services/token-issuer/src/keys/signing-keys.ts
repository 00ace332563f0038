import { exportJWK, generateKeyPair } from 'jose'
import type { KeyObject } from 'node:crypto'
import type { Millis } from '@countersign/contracts'
import { KeySetRecord, type SigningKey } from '@countersign/contracts/records'
import type { Commit, Store } from '@countersign/store'
import { eventOf, signingAlgorithms, system, type Asker, type SigningAlgorithm } from '@countersign/tokens'
import { keySetKey, openPrivateJwk, sealPrivateJwk, stateOf } from '@countersign/tokens/keys'
import { decideAndCommit } from '../decide.ts'
import { limits as service } from '../limits.ts'
import { difference, due, lacking, replaced, succeeded, unexpired, unsucceeded } from './law.ts'
import { limits } from './limits.ts'

export interface SigningKeysOptions {
  store: Pick<Store, 'get' | 'commit'>
  /** The current one first: new keys are sealed under it. */
  sealKeys: readonly KeyObject[]
  now: () => Millis
  /** 128 random bits as 32 hex digits. */
  commitId: () => string
}

export interface UpkeepOptions extends SigningKeysOptions {
  /** Milliseconds for which a key signs. */
  rotateEveryMs: number
  /** Milliseconds for which anything signed is good, at most. */
  longestTokenMs: number
}

/** Makes the keys that are missing: at the first start all, by whichever replica is first. @throws Failure `internal` under a wrong master key */
export async function openSigningKeys(options: SigningKeysOptions): Promise<void> {
  await changeKeys(options, 'first_start', async (keys, now) => {
    for (const key of keys) if (stateOf(key, now) !== 'retired') openPrivateJwk(options.sealKeys, key)
    return await withNew(keys, lacking(keys, now), now, succeeded, options)
  })
}

/** Every key, with what it is sealed in. */
export async function readSigningKeys(store: Pick<Store, 'get'>): Promise<SigningKey[]> {
  const [held] = await store.get([keySetKey])
  return held ? KeySetRecord.decode(held.value).keys : []
}

/**
 * Publishes a new key, of one algorithm or of each, which signs once everybody can know it; where one waits already
 * there is nothing to do. After a compromise the new key signs at once, and all others of its algorithm are withdrawn.
 * @returns every key, as it is now
 */
export async function rotateSigningKeys(
  options: SigningKeysOptions,
  { alg, compromised }: { alg?: SigningAlgorithm | undefined; compromised: boolean },
  asker: Asker = system,
): Promise<SigningKey[]> {
  const algs = alg === undefined ? signingAlgorithms : [alg]
  const decide = (keys: SigningKey[], now: Millis) =>
    compromised
      ? withNew(keys, algs, now, replaced, options)
      : withNew(keys, unsucceeded(keys, algs, now), now + limits.publishBeforeMs, succeeded, options)
  const changed = await changeKeys(options, compromised ? 'compromised' : 'commanded', decide, asker)
  return changed ?? (await readSigningKeys(options.store))
}

/** Rotates what is due, withdraws what nothing needs any more, and seals under the current master key what was under another. */
export async function upkeepSigningKeys(options: UpkeepOptions): Promise<void> {
  const { sealKeys, rotateEveryMs, longestTokenMs } = options
  const keptMs = Math.max(longestTokenMs, limits.leastKeptMs)
  await changeKeys(options, 'scheduled', async (keys, now) => {
    const kept = unexpired(keys, keptMs, now)
    const complete = await withNew(kept, lacking(kept, now), now, succeeded, options)
    const activeAt = now + limits.publishBeforeMs
    const rotated = await withNew(complete, due(complete, rotateEveryMs, now), activeAt, succeeded, options)
    return rotated.map((key) => (stateOf(key, now) === 'retired' ? key : resealed(key, sealKeys)))
  })
}

function resealed(key: SigningKey, sealKeys: readonly KeyObject[]): SigningKey {
  if (opens(sealKeys[0]!, key)) return key
  const sealedPrivateJwk = sealPrivateJwk(sealKeys[0]!, key.kid, openPrivateJwk(sealKeys, key))
  return { ...key, sealedPrivateJwk }
}

function opens(sealKey: KeyObject, key: SigningKey): boolean {
  try {
    openPrivateJwk([sealKey], key)
    return true
  } catch {
    return false
  }
}

async function withNew(
  keys: SigningKey[],
  algs: readonly SigningAlgorithm[],
  activeAt: Millis,
  join: (keys: SigningKey[], next: SigningKey) => SigningKey[],
  options: SigningKeysOptions,
): Promise<SigningKey[]> {
  const made = await Promise.all(algs.map((alg) => makeKey(alg, activeAt, options)))
  return made.reduce(join, keys)
}

async function makeKey(
  alg: SigningAlgorithm,
  activeAt: Millis,
  { sealKeys, now, commitId }: SigningKeysOptions,
): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: service.rsaBits })
  const kid = commitId().slice(0, 16)
  return {
    kid,
    alg,
    publicJwk: JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }),
    sealedPrivateJwk: sealPrivateJwk(sealKeys[0]!, kid, await exportJWK(privateKey)),
    createdAt: now(),
    activeAt,
    retiredAt: 0,
  }
}

/** Commits what was decided, unless that changes nothing. Checked against the version that was read: one replica does it. */
async function changeKeys(
  { store, now, commitId }: SigningKeysOptions,
  reason: string,
  decide: (keys: SigningKey[], now: Millis) => Promise<SigningKey[]>,
  asker: Asker = system,
): Promise<SigningKey[] | undefined> {
  const changed = await decideAndCommit(store, async () => {
    const [held] = await store.get([keySetKey])
    const before = held ? KeySetRecord.decode(held.value).keys : []
    const keys = await decide(before, now())
    const attributes = difference(before, keys)
    if (Object.keys(attributes).length === 0) return undefined
    const id = commitId()
    const commit: Commit = {
      id,
      partition: 0,
      checks: [{ key: keySetKey, version: held?.version ?? null }],
      puts: [{ key: keySetKey, value: KeySetRecord.encode({ keys }).finish() }],
      deletes: [],
      events: [eventOf(id, 0, asker, now(), { type: 'key.rotated', partition: 0, reason, attributes })],
      facts: [],
    }
    return { commit, keys }
  })
  return changed?.keys
}
