import { createFailureLog, createRemoteBreaker, type Breaker, type Log, type Verdict } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { BusyError, ResultCodeError, TimeLimitExceededError, UnavailableError } from 'ldapts'
import { Excess } from './connection.ts'
import { Directory, type Attribute, type DirectoryOptions, type Found, type Outcome, type Person } from './directory.ts'

export interface DirectoryStats {
  id: string
  lookUps: number
  /** Of these, those that gave nothing because the directory could not be asked, answered badly, or found several. */
  failures: number
  /** Is asked at present: it was not down a moment ago. */
  isWell: boolean
}

export interface Directories {
  /**
   * The roles and attributes that somebody has by the directories which apply. Never throws: what a directory that fails
   * would have given is not there, and that is logged and counted. Nobody there, or several: nothing either.
   * @param who `accountId` is for the log, and all that it says of them
   */
  lookUp(who: Person & { readonly accountId?: string | undefined }): Promise<Found>
  stats(): readonly DirectoryStats[]
}

export interface DirectoriesOptions {
  readonly directories: readonly DirectoryOptions[]
  readonly log: Log
  /** A clock that does not jump. */
  readonly nowMs?: () => number
}

interface Kept {
  directory: Directory
  breaker: Breaker
  lookUps: number
  failures: number
}

/**
 * Directories over LDAP, asked when somebody signs in: all at once, each within its time, and not for a while when it was down.
 * @throws Failure `invalid_request` when one is set up in a way that cannot work
 */
export function createDirectories({ directories, log, nowMs }: DirectoriesOptions): Directories {
  const logFailure = createFailureLog(log, nowMs)
  const all = directories.map((options): Kept => {
    const breaker = createRemoteBreaker(undefined, nowMs)
    return { directory: new Directory(options), breaker, lookUps: 0, failures: 0 }
  })

  async function ask(kept: Kept, { accountId, ...person }: Parameters<Directories['lookUp']>[0]): Promise<Found> {
    const { directory, breaker } = kept
    const filter = directory.filterFor(person)
    if (filter === undefined) return nothing
    kept.lookUps++
    const verdict = await breaker.execute(() => verdictOf(directory.find(filter, person.loginName)))
    const failure = 'failure' in verdict ? verdict.failure : verdict.value === 'ambiguous' ? several : undefined
    if (failure) {
      kept.failures++
      logFailure(failure, { directory: directory.id, host: directory.host, account: accountId })
    }
    return 'failure' in verdict || typeof verdict.value === 'string' ? nothing : verdict.value
  }

  return {
    lookUp: async (who) => together(await Promise.all(all.map((kept) => ask(kept, who)))),
    stats: () =>
      all.map(({ directory, breaker, lookUps, failures }) => {
        return { id: directory.id, lookUps, failures, isWell: breaker.state() === 'closed' }
      }),
  }
}

const nothing: Found = { roles: [], attributes: [] }
const several = new Failure('unavailable', 'a directory has several of whom somebody might be')

async function verdictOf(finding: Promise<Outcome>): Promise<Verdict<Outcome>> {
  try {
    return { value: await finding }
  } catch (thrown) {
    return {
      failure: new Failure('unavailable', `a directory gave nothing: ${reasonOf(thrown)}`),
      isFault: isFault(thrown),
    }
  }
}

/** Whether it is the server that is unwell; what it answers to one question says nothing about the next. */
const isFault = (thrown: unknown): boolean =>
  thrown instanceof ResultCodeError
    ? [BusyError, UnavailableError, TimeLimitExceededError].some((kind) => thrown instanceof kind)
    : !(thrown instanceof Excess)

/** Not the message: servers put names of people in there. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof ResultCodeError) return `${thrown.name} (${thrown.code})`
  if (thrown instanceof Excess) return thrown.message
  const { name, code } = Object(thrown) as Partial<NodeJS.ErrnoException>
  if (name === 'TimeoutError') return 'it took too long'
  return typeof code === 'string' ? code : 'the conversation broke off'
}

function together(found: readonly Found[]): Found {
  const values = new Map<string, Set<string>>()
  for (const attribute of found.flatMap(({ attributes }) => attributes)) {
    values.set(attribute.name, new Set([...(values.get(attribute.name) ?? []), ...attribute.values]))
  }
  const attributes = [...values].map(([name, given]): Attribute => ({ name, values: [...given] }))
  return { roles: [...new Set(found.flatMap(({ roles }) => roles))], attributes }
}
