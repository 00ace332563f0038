import { Failure, type Millis } from '@countersign/contracts'
import { ClientRecord } from '@countersign/contracts/records'
import type { Reader } from '@countersign/store'
import { clientKey, type Client } from '@countersign/tokens'
import { limits } from './limits.ts'

/** What is known of a caller. */
interface Standing {
  isDisabled: boolean
  /** It has to be read, and when that was last tried. */
  isStale: boolean
  askedAt: Millis
}

/**
 * Whether callers may still ask. It is read beside their first question, and again when a fact of a client says that something
 * has changed: nobody waits for it, and a caller that was disabled is refused from a moment later on.
 */
export class Standings {
  readonly #reader: Pick<Reader, 'get'>
  readonly #now: () => Millis
  readonly #known = new Map<string, Standing>()

  constructor(reader: Pick<Reader, 'get'>, now: () => Millis) {
    this.#reader = reader
    this.#now = now
  }

  /** @throws Failure `invalid_client` for a client that was disabled */
  check({ id }: Pick<Client, 'id'>): void {
    let standing = this.#known.get(id)
    if (!standing) this.#known.set(id, (standing = { isDisabled: false, isStale: true, askedAt: -Infinity }))
    if (standing.isStale && Math.abs(this.#now() - standing.askedAt) >= limits.standingAskedMs)
      void this.#read(id, standing)
    if (standing.isDisabled) throw new Failure('invalid_client', 'this client is disabled')
  }

  changed(id: string): void {
    const standing = this.#known.get(id)
    if (standing) Object.assign(standing, { isStale: true, askedAt: -Infinity })
  }

  changedPerhaps(): void {
    for (const id of this.#known.keys()) this.changed(id)
  }

  async #read(id: string, standing: Standing): Promise<void> {
    standing.askedAt = this.#now()
    standing.isStale = false
    try {
      const [entry] = await this.#reader.get([clientKey(0, id)])
      standing.isDisabled = entry !== undefined && ClientRecord.decode(entry.value).disabledAt !== 0
      // One that was configured just now has no record yet.
      if (!entry) standing.isStale = true
    } catch {
      // The question itself tells that the store cannot be asked.
      standing.isStale = true
    }
  }
}
