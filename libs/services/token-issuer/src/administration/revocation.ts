import { Failure, type Partition } from '@countersign/contracts'
import type { RevokeRequest } from '@countersign/contracts/administration'
import { GrantRecord, SessionRecord } from '@countersign/contracts/records'
import type { Committed, Entry, Key, Store } from '@countersign/store'
import {
  asIfGranted,
  createRecordReader,
  grantKey,
  limits as tokenLimits,
  revokeHeld,
  sessionKey,
  subjectKey,
  tokenKey,
  type Deciding,
  type TokenFormat,
} from '@countersign/tokens'
import type { KeyRing } from '@countersign/tokens/keys'
import { versioned } from '../authorization/state.ts'
import { decideAndCommit } from '../decide.ts'
import { limits } from '../limits.ts'
import type { Endings } from '../logout/endings.ts'
import { placeOf } from '../revoke.ts'

export interface RevocationsOptions {
  store: Store
  partitions: number
  issuer: string
  format: TokenFormat
  keyRing: Pick<KeyRing, 'verify'>
  endings: Endings
}

const reason = 'revoked_by_operator'

/** Takes back whatever an operator names, whoever's it is. */
export class Revocations {
  readonly #options: RevocationsOptions
  readonly #records = createRecordReader()

  constructor(options: RevocationsOptions) {
    this.#options = options
  }

  /**
   * @param by makes what one attempt decides with
   * @returns what was committed; empty when there was nothing to revoke
   * @throws Failure `invalid_request`, `not_found` for a subject or client that is not known
   */
  async revoke({ what, disable }: RevokeRequest, by: () => Deciding): Promise<readonly Committed[]> {
    const { endings } = this.#options
    if (!what || what.value === '') throw new Failure('invalid_request', 'say what is to be revoked')
    if (disable && what.$case !== 'subject' && what.$case !== 'clientId') {
      throw new Failure('invalid_request', 'only a subject or a client can be disabled')
    }
    const ending = { disable, reason }
    switch (what.$case) {
      case 'token':
        return present(await this.#token(what.value, by))
      case 'grantId':
        return present(await this.#grant(what.value, by))
      case 'sessionId':
        return present(await this.#session(what.value, by))
      case 'subject': {
        const found = await this.#locate(what.value, subjectKey)
        if (!found) throw new Failure('not_found', 'nobody of that id has signed in here')
        const as = disable ? 'disabled' : 'signed_out'
        return [await endings.subject(found.partition, what.value, { as, reason }, by())]
      }
      case 'clientId':
        return endings.client(checkedId(what.value), ending, by())
    }
  }

  async #token(token: string, by: () => Deciding): Promise<Committed | undefined> {
    const { store, endings } = this.#options
    if (token.length > tokenLimits.tokenCharacters) throw new Failure('invalid_request', 'token is too long')
    const place = await placeOf(token, this.#options)
    if (!place || place.partition >= this.#options.partitions) return undefined
    let usedGrant: string | undefined
    const revoked = await decideAndCommit(store, async () => {
      const entries = await store.follow(tokenKey(place.partition, place.recordDigest))
      if (!entries) return undefined
      const held = this.#records.held(entries)
      const { code } = held.token.record
      if (code?.grant && code.usedAt !== 0) {
        // The code is worth nothing any more; what came of it is.
        usedGrant = code.grant.id
        return undefined
      }
      const commit = revokeHeld(code ? asIfGranted(held, code) : held, place, reason, by())
      return commit && { commit }
    })
    return usedGrant === undefined ? revoked?.committed : endings.grant(place.partition, usedGrant, reason, by())
  }

  async #grant(id: string, by: () => Deciding): Promise<Committed | undefined> {
    const found = await this.#locate(id, grantKey)
    if (!found) return undefined
    if (GrantRecord.decode(found.entry.value).subject === '') {
      throw new Failure('invalid_request', 'that grant is what a client itself stands on: revoke the client')
    }
    return this.#options.endings.grant(found.partition, id, reason, by())
  }

  async #session(id: string, by: () => Deciding): Promise<Committed | undefined> {
    const found = await this.#locate(id, sessionKey)
    if (!found) return undefined
    const session = versioned(found.entry, SessionRecord)
    return this.#options.endings.session({ partition: found.partition, session, subject: undefined }, reason, by())
  }

  /** An id does not tell its partition: it is looked for in all of them, in one read. */
  async #locate(
    id: string,
    keyIn: (partition: Partition, id: string) => Key,
  ): Promise<{ partition: Partition; entry: Entry } | undefined> {
    const { store, partitions } = this.#options
    checkedId(id)
    const entries = await store.get(Array.from({ length: partitions }, (_, partition) => keyIn(partition, id)))
    const partition = entries.findIndex((entry) => entry !== undefined)
    return partition < 0 ? undefined : { partition, entry: entries[partition]! }
  }
}

const present = (committed: Committed | undefined): readonly Committed[] => (committed ? [committed] : [])

/** @throws Failure `invalid_request` for what cannot be an id */
function checkedId(id: string): string {
  if (/^[\x21-\x7e]+$/.test(id) && id.length <= limits.idCharacters) return id
  throw new Failure('invalid_request', 'that is no id')
}
