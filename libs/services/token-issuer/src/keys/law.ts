import type { Millis } from '@countersign/contracts'
import type { SigningKey } from '@countersign/contracts/records'
import { signingAlgorithms, type SigningAlgorithm } from '@countersign/tokens'
import { signerOf, stateOf } from '@countersign/tokens/keys'

type Keys = readonly SigningKey[]

/** Algorithms that no key signs, or will. */
export const lacking = (keys: Keys, now: Millis): SigningAlgorithm[] =>
  signingAlgorithms.filter((alg) => !keys.some((key) => key.alg === alg && stateOf(key, now) !== 'retired'))

/** Of these algorithms, those whose successor is not published yet. */
export const unsucceeded = (keys: Keys, algs: readonly SigningAlgorithm[], now: Millis): SigningAlgorithm[] =>
  algs.filter((alg) => signerOf(keys, alg, now)?.retiredAt === 0)

/** Algorithms whose key has signed for long enough. Records from before there was rotation do not tell since when. */
export const due = (keys: Keys, rotateEveryMs: number, now: Millis): SigningAlgorithm[] =>
  unsucceeded(keys, signingAlgorithms, now).filter((alg) => {
    const { activeAt, createdAt } = signerOf(keys, alg, now)!
    return now >= (activeAt || createdAt) + rotateEveryMs
  })

/** A new key takes over once it is active; what the one before signed stays good. */
export const succeeded = (keys: Keys, next: SigningKey): SigningKey[] => [
  ...keys.map((key) => (key.alg === next.alg && key.retiredAt === 0 ? { ...key, retiredAt: next.activeAt } : key)),
  next,
]

/** A new key in the place of all of its algorithm; whatever those signed is worth nothing from here on. */
export const replaced = (keys: Keys, next: SigningKey): SigningKey[] => [
  ...keys.filter(({ alg }) => alg !== next.alg),
  next,
]

/** Without keys whose every signature has expired. */
export const unexpired = (keys: Keys, keptMs: number, now: Millis): SigningKey[] =>
  keys.filter(({ retiredAt }) => retiredAt === 0 || now < retiredAt + keptMs)

/** Attributes of the event that tells a change, each of key ids: `ES256` for new ones, `ES256.withdrawn`, `ES256.resealed`. */
export function difference(before: Keys, after: Keys): Record<string, string> {
  const known = new Map(before.map((key) => [key.kid, key]))
  const left = new Set(after.map(({ kid }) => kid))
  const told: Record<string, string> = {}
  const tell = (name: string, kid: string): void => void (told[name] = name in told ? `${told[name]} ${kid}` : kid)
  for (const { alg, kid, sealedPrivateJwk } of after) {
    const same = known.get(kid)
    if (!same) tell(alg, kid)
    else if (!Buffer.from(same.sealedPrivateJwk).equals(sealedPrivateJwk)) tell(`${alg}.resealed`, kid)
  }
  for (const { alg, kid } of before) if (!left.has(kid)) tell(`${alg}.withdrawn`, kid)
  return told
}
