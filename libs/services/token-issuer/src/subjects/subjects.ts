import { Failure, type Partition } from '@countersign/contracts'
import { SubjectChange, type ChangeSubjectRequest, type GetSubjectResponse } from '@countersign/contracts/authorization'
import { SubjectRecord } from '@countersign/contracts/records'
import type { Commit, Committed, Store } from '@countersign/store'
import {
  enableSubject,
  sessionGrants,
  setRoles,
  subjectKey,
  subjectRecord,
  type Deciding,
  type HeldSubject,
} from '@countersign/tokens'
import { versioned } from '../authorization/state.ts'
import { decideAndCommit } from '../decide.ts'
import { limits } from '../limits.ts'
import type { Endings } from '../logout/endings.ts'
import { eraseSubject } from './erasure.ts'

export interface SubjectsOptions {
  store: Store
  partitions: number
  endings: Endings
  commitId: () => string
}

/** People, by what is known of them here: whether they may sign in, and their roles. */
export class Subjects {
  readonly #options: SubjectsOptions

  constructor(options: SubjectsOptions) {
    this.#options = options
  }

  /** @throws Failure `invalid_request` for what is no subject */
  async get(partition: Partition, id: string): Promise<GetSubjectResponse> {
    this.#checkPlace(partition, id)
    const { subject } = await this.#read(partition, id)
    const { roles, standings, disabledAt, deletedAt } = subject?.record ?? subjectRecord({ id })
    return { roles, standings, disabledAt, deletedAt }
  }

  /**
   * @param by makes what one attempt decides with
   * @returns undefined when there was nothing to change
   * @throws Failure `invalid_request`, `not_found` for a change of somebody who was deleted
   */
  async change(request: ChangeSubjectRequest, by: () => Deciding): Promise<Committed | undefined> {
    const { partition, subject: id, change, roles } = request
    this.#checkPlace(partition, id)
    const reason = checkedReason(request.reason)
    switch (change) {
      case SubjectChange.DISABLE:
        return this.#end(partition, id, 'disabled', reason, by)
      case SubjectChange.ENABLE:
        return this.#write(partition, id, (held) => enableSubject(held, reason, by()))
      case SubjectChange.SIGN_OUT:
        return this.#signOut(request, reason, by)
      case SubjectChange.DELETE: {
        const committed = await this.#end(partition, id, 'deleted', reason, by)
        await eraseSubject(this.#options, partition, id)
        return committed
      }
      case SubjectChange.SET_ROLES:
        return this.#write(partition, id, (held) => setRoles(held, roles, reason, by()))
      default:
        throw new Failure('invalid_request', 'say what is to change')
    }
  }

  /** Ends everything of a person for as long as nobody says otherwise, or for good. Undefined: it had ended like that. */
  async #end(
    partition: Partition,
    id: string,
    as: 'disabled' | 'deleted',
    reason: string,
    by: () => Deciding,
  ): Promise<Committed | undefined> {
    const { subject } = await this.#read(partition, id)
    const endedAt = as === 'deleted' ? subject?.record.deletedAt : subject?.record.disabledAt
    if (endedAt !== undefined && endedAt !== 0) return undefined
    return this.#options.endings.subject(partition, id, { as, reason }, by())
  }

  /**
   * Every token of a person dies with their epoch, and every session but the one that goes on. Of that one, the grants are
   * ended one by one afterwards: no token of them is good any more, and nobody shall be shown them.
   */
  async #signOut(
    { partition, subject: id, except }: ChangeSubjectRequest,
    reason: string,
    by: () => Deciding,
  ): Promise<Committed | undefined> {
    const { endings } = this.#options
    if (!(await this.#read(partition, id)).subject) return undefined
    const keep = except?.partition === partition ? except.id : undefined
    const ended = await endings.subject(partition, id, { as: 'signed_out', reason, keep }, by())
    if (keep === undefined) return ended
    const listing = sessionGrants(partition, keep)
    return (await endings.grants({ partition, subject: id, listing }, reason, by())) ?? ended
  }

  async #write(
    partition: Partition,
    id: string,
    decide: (held: HeldSubject) => Commit | undefined,
  ): Promise<Committed | undefined> {
    const written = await decideAndCommit(this.#options.store, async () => {
      const commit = decide(await this.#read(partition, id))
      return commit && { commit }
    })
    return written?.committed
  }

  async #read(partition: Partition, id: string): Promise<HeldSubject> {
    const [entry] = await this.#options.store.get([subjectKey(partition, id)])
    return { partition, id, subject: entry && versioned(entry, SubjectRecord) }
  }

  #checkPlace(partition: Partition, id: string): void {
    const isId = /^[\x21-\x7e]+$/.test(id) && id.length <= limits.idCharacters
    if (!isId || partition >= this.#options.partitions) throw new Failure('invalid_request', 'that is no account')
  }
}

/** @throws Failure `invalid_request` */
function checkedReason(reason: string): string {
  if (reason.length > limits.reasonCharacters || !reason.isWellFormed() || /\p{Cc}/u.test(reason)) {
    throw new Failure('invalid_request', `a reason has at most ${limits.reasonCharacters} characters, on one line`)
  }
  return reason
}
