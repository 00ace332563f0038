import { Failure } from '@countersign/contracts'
import type { Client, Entry } from 'ldapts'
import { Gate } from '../gate.ts'
import { converse, Excess, serverOf, type DirectoryServer } from './connection.ts'
import { canonicalName, readName } from './distinguished-name.ts'
import { compileFilter, type FilterOf } from './filter.ts'
import { limits } from './limits.ts'

export interface DirectoryOptions extends DirectoryServer {
  readonly id: string
  /** Distinguished name below which people are. */
  readonly base: string
  /** Finds one person: RFC 4515 with `{login_name}`, `{email}` or `{subject}` where values stand. */
  readonly filter: string
  /** Where groups name their members; absent: people name their groups, as `memberOf`. `{dn}` is the person's. */
  readonly groups?: { readonly base: string; readonly filter: string; readonly name: string } | undefined
  /** What a group gives, by its name or its distinguished name, in any case. */
  readonly roles: Readonly<Record<string, readonly string[]>>
  /** Ours → the directory's. */
  readonly attributes: Readonly<Record<string, string>>
  /** Only who signs in with one of these is looked up; absent: everybody. */
  readonly providers?: readonly string[] | undefined
  /** Of a look-up, from waiting for its turn to the last answer. */
  readonly timeoutMs: number
}

export interface Attribute {
  name: string
  values: string[]
}

/** What a directory may look for. An e-mail address has to be one that is known to be theirs. */
export interface Person {
  readonly provider: string
  /** The provider's name for them. */
  readonly subject: string
  readonly loginName: string | undefined
  readonly email: string | undefined
}

export interface Found {
  roles: string[]
  attributes: Attribute[]
}

interface Group {
  dn: string
  names: readonly string[]
}

type RolesBy = ReadonlyMap<string, readonly string[]>

/** `ambiguous`: there are several of whom it might be. */
export type Outcome = Found | 'nobody' | 'ambiguous'

const ofPeople = ['login_name', 'email', 'subject'] as const
const ofGroups = ['dn', 'login_name'] as const

/** One directory, asked about one person at a time. */
export class Directory {
  readonly id: string
  readonly host: string
  readonly #options: DirectoryOptions
  readonly #person: FilterOf<(typeof ofPeople)[number]>
  readonly #groups: FilterOf<(typeof ofGroups)[number]> | undefined
  readonly #byName: RolesBy
  /** Apart from the others: a group may be called like the distinguished name of another. */
  readonly #byDn: RolesBy
  readonly #gate = new Gate(limits.connections)

  /** @throws Failure `invalid_request` when a filter is none, or a name comes without a password */
  constructor(options: DirectoryOptions) {
    this.id = options.id
    this.host = serverOf(options).host
    this.#options = options
    // A server takes a name without a password for nobody, and welcomes it (RFC 4513 section 5.1.2).
    if (options.bindDn !== undefined && !options.bindPassword?.reveal()) {
      throw new Failure('invalid_request', `the directory ${options.id} has a bind_dn and no password for it`)
    }
    this.#person = compileFilter(options.filter, ofPeople)
    this.#groups = options.groups && compileFilter(options.groups.filter, ofGroups)
    const roles = Object.entries(options.roles).map(([key, given]) => ({ key, dn: canonicalName(key), given }))
    this.#byDn = new Map(roles.flatMap(({ dn, given }) => (dn === undefined ? [] : [[dn, given]])))
    this.#byName = new Map(roles.flatMap(({ key, dn, given }) => (dn ? [] : [[key.toLowerCase(), given]])))
  }

  /** The filter that finds a person; undefined when this directory is not to be asked about them. */
  filterFor({ provider, subject, loginName, email }: Person): string | undefined {
    if (this.#options.providers?.includes(provider) === false) return undefined
    return this.#person({ login_name: loginName, email, subject })
  }

  /** @throws what the connection and the server make of it, and the reason of the time being over */
  async find(filter: string, loginName: string | undefined): Promise<Outcome> {
    // From now on: those that came before are over sooner, so that waiting takes no longer than that either.
    const signal = AbortSignal.timeout(this.#options.timeoutMs)
    const ask = (client: Client) => this.#ask(client, filter, loginName)
    return this.#gate.pass(() => converse(this.#options, signal, ask))
  }

  async #ask(client: Client, filter: string, loginName: string | undefined): Promise<Outcome> {
    const { base, groups, attributes } = this.#options
    const wanted = [...Object.values(attributes), ...(groups ? [] : ['memberOf'])]
    const [entry, another] = await this.#entries(client, base, filter, wanted.length > 0 ? wanted : ['1.1'], 2)
    if (!entry) return 'nobody'
    if (another) return 'ambiguous'
    const of = groups ? await this.#groupsOf(client, entry.dn, loginName) : groupsNamedBy(entry)
    if (of.length > limits.groups) throw new Excess('too many groups')
    return { roles: this.#rolesOf(of), attributes: this.#attributesOf(entry) }
  }

  async #groupsOf(client: Client, dn: string, loginName: string | undefined): Promise<Group[]> {
    const filter = this.#groups!({ dn, login_name: loginName })
    if (filter === undefined) return []
    const { base, name } = this.#options.groups!
    const entries = await this.#entries(client, base, filter, [name], limits.groups + 1)
    return entries.map((entry) => ({ dn: entry.dn, names: valuesOf(entry, name) }))
  }

  /** Up to so many entries. Pages, so that a server's own limit is an error and not a shorter answer. */
  async #entries(client: Client, base: string, filter: string, attributes: string[], most: number): Promise<Entry[]> {
    const paged = { pageSize: Math.min(most, limits.pageEntries) }
    const timeLimit = Math.ceil(this.#options.timeoutMs / 1_000)
    const entries: Entry[] = []
    for await (const page of client.searchPaginated(base, { filter, attributes, paged, timeLimit })) {
      // Where else to look (RFC 4511 section 4.5.3) is not followed.
      entries.push(...page.searchEntries)
      if (entries.length >= most) break
    }
    return entries
  }

  #rolesOf(groups: readonly Group[]): string[] {
    const given = groups.flatMap(({ dn, names }) => [
      ...(this.#byDn.get(canonicalName(dn) ?? '') ?? []),
      ...names.flatMap((name) => this.#byName.get(name.toLowerCase()) ?? []),
    ])
    return [...new Set(given)]
  }

  #attributesOf(entry: Entry): Attribute[] {
    const fits = (value: string) => value !== '' && value.length <= limits.attributeCharacters
    return Object.entries(this.#options.attributes).flatMap(([name, theirs]) => {
      const values = valuesOf(entry, theirs).filter(fits).slice(0, limits.attributeValues)
      return values.length > 0 ? [{ name, values }] : []
    })
  }
}

/** A range (`memberOf;range=0-1499`) is what Active Directory gives of too many. */
const typeOf = (described: string): string => described.toLowerCase().replace(/;range=[\d*-]+$/, '')

/** Of what is text; the case of types is the server's to choose (RFC 4512 section 2.5). */
function valuesOf({ dn: _dn, ...attributes }: Entry, name: string): string[] {
  const given = Object.entries(attributes).filter(([described]) => typeOf(described) === name.toLowerCase())
  return given.flatMap(([, values]) => [values].flat().filter((value) => typeof value === 'string'))
}

const groupsNamedBy = (entry: Entry): Group[] =>
  valuesOf(entry, 'memberOf').map((dn) => ({
    dn,
    names: (readName(dn)?.[0] ?? []).filter(([type]) => type === 'cn').map(([, value]) => value),
  }))
