import { Failure, type Millis } from '@countersign/contracts'
import { SubjectRecord, type Attribute, type Standing as StandingRecord } from '@countersign/contracts/records'
import { limits } from './limits.ts'

/** What somebody is and has, besides who they are. */
export interface Standing {
  readonly roles: readonly string[]
  readonly attributes: readonly Attribute[]
}

const none: Standing = Object.freeze({ roles: [], attributes: [] })

/**
 * What holds for a grant or a session: the roles of the account itself, and what its provider gave.
 * @param provider of the grant or the session; empty for one that names none: the account's own roles, no more
 * @returns sorted, nothing twice
 */
export function standingOf(subject: SubjectRecord | undefined, provider: string): Standing {
  if (!subject) return none
  const given = provider === '' ? undefined : subject.standings.find((each) => each.provider === provider)
  if (!given && subject.roles.length === 0) return none
  return {
    roles: distinct([...subject.roles, ...(given?.roles ?? [])]),
    attributes: given ? sorted(given.attributes) : [],
  }
}

/** A person's standing by each provider that it was ever told by; `''`: by none. */
const told = (subject: SubjectRecord): ReadonlyMap<string, string> =>
  new Map(
    ['', ...subject.standings.map(({ provider }) => provider)].map((provider) => [
      provider,
      JSON.stringify(standingOf(subject, provider)),
    ]),
  )

/** Whether anybody who asked about a token of the subject could have been told something else. */
export function isToldOtherwise(before: SubjectRecord, after: SubjectRecord): boolean {
  const [earlier, later] = [told(before), told(after)]
  const providers = new Set([...earlier.keys(), ...later.keys()])
  // Who has no standing by a provider is told as who names none.
  return [...providers].some(
    (provider) => (earlier.get(provider) ?? earlier.get('')) !== (later.get(provider) ?? later.get('')),
  )
}

/** A subject with the standing that a sign-in gave, in the place of that provider's; the same object where that is nothing new. */
export function withStanding(
  subject: SubjectRecord,
  provider: string,
  { roles, attributes }: Standing,
  now: Millis,
): SubjectRecord {
  const before = subject.standings.find((each) => each.provider === provider)
  const isEmpty = roles.length === 0 && attributes.length === 0
  if (provider === '' || (isEmpty && !before)) return subject
  const given = { provider, roles: distinct(roles), attributes: sorted(attributes), determinedAt: now }
  const isRecent = before && now - before.determinedAt < limits.standingWrittenMs
  if (isRecent && sameStanding(before, given)) return subject
  const others = subject.standings.filter((each) => each !== before)
  const after = { ...subject, standings: isEmpty ? others : [...others, given] }
  return trimmed(after)
}

/** A subject with these roles, whoever they sign in with. */
export const withRoles = (subject: SubjectRecord, roles: readonly string[]): SubjectRecord =>
  trimmed({ ...subject, roles: distinct(roles) })

/** A person's record has an end: what was determined the longest ago goes, and grants nothing any more. */
function trimmed(subject: SubjectRecord): SubjectRecord {
  const standings = subject.standings.toSorted((one, other) => one.determinedAt - other.determinedAt)
  while (
    standings.length > limits.standings ||
    (standings.length > 0 && SubjectRecord.encode({ ...subject, standings }).finish().length > limits.subjectBytes)
  ) {
    standings.shift()
  }
  return { ...subject, standings }
}

/** The same standing, whenever it was determined. */
const sameStanding = (one: StandingRecord, other: StandingRecord): boolean =>
  JSON.stringify({ ...one, determinedAt: 0 }) === JSON.stringify({ ...other, determinedAt: 0 })

/** @throws Failure `invalid_request` for more than a record has room for, and for what is no role */
export function checkRoles(roles: readonly string[]): void {
  const isTooMuch = roles.length > limits.roles || bytesOf(roles) > limits.rolesBytes
  if (isTooMuch || roles.some((role) => !isWord(role, limits.roleCharacters))) {
    throw new Failure(
      'invalid_request',
      `at most ${limits.roles} roles (${limits.rolesBytes} bytes), of 1 to ${limits.roleCharacters} characters`,
    )
  }
}

/** @throws Failure `invalid_request` */
export function checkAttributes(attributes: readonly Attribute[]): void {
  const { attributeValues, attributeCharacters } = limits
  const isTooMuch =
    attributes.length > limits.attributes ||
    bytesOf(attributes.flatMap(({ name, values }) => [name, ...values])) > limits.attributesBytes
  const isOdd = attributes.some(
    ({ name, values }) =>
      !isWord(name, limits.roleCharacters) ||
      values.length > attributeValues ||
      values.some((value) => value.length > attributeCharacters),
  )
  if (!isTooMuch && !isOdd && new Set(attributes.map(({ name }) => name)).size === attributes.length) return
  throw new Failure(
    'invalid_request',
    `at most ${limits.attributes} attributes (${limits.attributesBytes} bytes), each once, with at most ${attributeValues} values of ${attributeCharacters} characters`,
  )
}

const isWord = (text: string, characters: number): boolean =>
  text !== '' && text.length <= characters && text.isWellFormed() && !/\p{Cc}/u.test(text)

const bytesOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)

const distinct = (values: readonly string[]): string[] => [...new Set(values)].toSorted()

const sorted = (attributes: readonly Attribute[]): Attribute[] =>
  attributes
    .map(({ name, values }) => ({ name, values: distinct(values) }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
