import { parseRevision } from '@countersign/contracts'
import { TokenKind } from '@countersign/contracts/records'
import { tokenSecretBytes } from '@countersign/tokens'
import type { KnownToken, Revocation, Verification } from './checker.ts'
import { callContext, type Replica } from './replica.ts'
import type { SdkCache } from './sdk-cache.ts'
import type { Setting } from './setting.ts'

export interface Asked {
  readonly replicas: readonly Replica[]
  readonly caches: readonly SdkCache[]
}

/** Tokens that nobody has tried to end, and the others. */
export interface Tokens {
  readonly living: KnownToken[]
  readonly ended: KnownToken[]
}

/** Those who present tokens, and those who ask about them: most of all where it is close. */
export class Questions {
  readonly #setting: Setting
  readonly #asked: Asked
  readonly #tokens: Tokens

  constructor(setting: Setting, asked: Asked, tokens: Tokens) {
    this.#setting = setting
    this.#asked = asked
    this.#tokens = tokens
  }

  /** Asks a replica directly, as its callers without a cache do. */
  askReplica(replica: Replica, presented: string, token: KnownToken | undefined, after?: Revocation): void {
    const { scheduler, network, random, checker } = this.#setting
    const { machine } = replica
    const asked = random.pick([undefined, undefined, undefined, 0, 100, 1_000])
    const boundMs = Math.min(replica.maxStalenessMs, asked ?? Infinity)
    const verification: Verification = { by: machine.name, beganMs: scheduler.nowMs, token, boundMs, after }
    const minRevision = after?.revisions.join(' ') ?? ''
    const staleness = asked === undefined ? undefined : ({ $case: 'maxStalenessMs', value: asked } as const)
    const request = { token: presented, tokenTypeHint: '', minRevision, staleness }
    network.between('reader', machine.name).whenWhole(() => {
      const inMs = random.chance(0.3) ? 0 : network.between('reader', machine.name).delayMs()
      machine.at(scheduler.nowMs + inMs, machine.name, () => {
        const asking = async () => replica.service.calls.introspect(request, callContext('192.0.2.7'))
        asking().then(
          ({ active }) => checker.judge(verification, active),
          (thrown: unknown) => checker.failed(verification, String(thrown)),
        )
      })
    })
  }

  /** Has a cache verify a token. */
  verify(cache: SdkCache, presented: string, token: KnownToken | undefined, after?: Revocation): void {
    const { scheduler } = this.#setting
    if (!cache.machine.isUp) return
    cache.machine.at(scheduler.nowMs, 'a request', () => void cache.verify(presented, token, after))
  }

  /** What somebody presents. */
  something(): [string, KnownToken | undefined] {
    const { random } = this.#setting
    const list = random.chance(0.7) ? this.#tokens.living : this.#tokens.ended.slice(-8)
    const token = list.length > 0 && !random.chance(0.04) ? random.pick(list) : undefined
    return [token?.token ?? this.#madeUp(), token]
  }

  #madeUp(): string {
    const { random, parties, partitions } = this.#setting
    if (random.chance(0.3)) return `cs_at_${random.hex(55)}`
    return parties.format.mint(TokenKind.ACCESS_TOKEN, random.below(partitions), random.bytes(tokenSecretBytes)).token
  }

  /** Questions that are under way while it is revoked. */
  around(token: KnownToken): void {
    const { scheduler, random } = this.#setting
    for (const cache of this.#asked.caches) {
      if (random.chance(0.6)) {
        scheduler.after(random.exponential(8), 'racing', () => this.verify(cache, token.token, token))
      }
    }
    for (const replica of this.#asked.replicas) {
      if (random.chance(0.4)) {
        scheduler.after(random.exponential(8), 'racing', () => this.askReplica(replica, token.token, token))
      }
    }
  }

  /** Questions right where it must have taken effect, and some later. */
  closeTo(token: KnownToken, revocation: Revocation): void {
    const { scheduler, random } = this.#setting
    const after = revocation.revisions.every((revision) => parseRevision(revision)) && revocation.revisions.length > 0
    const plan = (boundMs: number, verify: (after?: Revocation) => void): void => {
      const justThenMs = boundMs + 0.001 + (random.chance(0.5) ? 0 : random.exponential(10))
      if (random.chance(0.7)) scheduler.after(justThenMs, 'just then', () => verify())
      if (random.chance(0.4)) scheduler.after(boundMs * random.between(1, 3), 'later', () => verify())
      if (after && random.chance(0.3)) {
        scheduler.after(random.exponential(10), 'with its revision', () => verify(revocation))
      }
    }
    for (const cache of this.#asked.caches) {
      plan(cache.maxStalenessMs, (asked) => this.verify(cache, token.token, token, asked))
    }
    for (const replica of this.#asked.replicas) {
      plan(replica.maxStalenessMs, (asked) => this.askReplica(replica, token.token, token, asked))
    }
  }
}
