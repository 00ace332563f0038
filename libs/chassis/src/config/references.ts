import { nearest } from './nearest.ts'
import { keyOf, meant, quote, type Path } from './problem.ts'
import { listAt, mapAt, mapsAt, textAt, type Raw } from './raw.ts'

/** Tells what is wrong with what stands at a path. */
export type Report = (path: Path, message: string) => void

/** What names something else must name something that is there; what has a name must have it alone. */
export function checkReferences(raw: Raw, report: Report): void {
  const resources = names(raw, 'resources', 'id', report)
  const providers = names(raw, 'providers', 'id', report)
  names(raw, 'resources', 'audience', report)
  names(raw, 'clients', 'id', report)
  names(raw, 'bridges', 'id', report)
  names(raw, 'directories', 'id', report)
  const check = (path: Path, value: unknown, known: ReadonlySet<string>, what: string) => {
    if (typeof value !== 'string' || known.has(value)) return
    report(path, `expected ${what}, got ${quote(value)}${meant(nearest(value, known))}`)
  }
  for (const [client, index] of mapsAt(raw, 'clients')) {
    for (const [at, id] of listAt(client, 'audience').entries()) {
      check(['clients', index, 'audience', at], id, resources, 'the id of a resource')
    }
    for (const [at, id] of listAt(client, 'introspect').entries()) {
      if (id !== '*') check(['clients', index, 'introspect', at], id, resources, 'the id of a resource, or *')
    }
  }
  for (const [at, id] of listAt(mapAt(raw, 'registration'), 'audience').entries()) {
    check(['registration', 'audience', at], id, resources, 'the id of a resource')
  }
  for (const [bridge, index] of mapsAt(raw, 'bridges')) {
    check(['bridges', index, 'provider'], bridge.provider, providers, 'the id of a provider')
  }
  for (const [role, index] of mapsAt(raw, 'roles')) {
    check(['roles', index, 'when', 'provider'], mapAt(role, 'when').provider, providers, 'the id of a provider')
  }
  for (const [directory, index] of mapsAt(raw, 'directories')) {
    for (const [at, id] of listAt(directory, 'providers').entries()) {
      check(['directories', index, 'providers', at], id, providers, 'the id of a provider')
    }
  }
}

/** The names in a list; reports each that is there a second time. */
function names(raw: Raw, list: string, key: string, report: Report): ReadonlySet<string> {
  const firsts = new Map<string, number>()
  for (const [item, index] of mapsAt(raw, list)) {
    const name = textAt(item, key)
    if (name === undefined) continue
    const first = firsts.get(name)
    if (first === undefined) firsts.set(name, index)
    else report([list, index, key], `${quote(name)} is ${keyOf([list, first, key])} already`)
  }
  return new Set(firsts.keys())
}

/** Directories that find people by what any provider may call somebody. */
export const openSubjects = (raw: Raw): string[] =>
  mapsAt(raw, 'directories').flatMap(([directory, index]) =>
    directory.providers === undefined && textAt(directory, 'filter')?.includes('{subject}')
      ? [
          `${keyOf(['directories', index, 'filter'])}: any provider could say that {subject}; name in providers those that it is of`,
        ]
      : [],
  )

/** Scopes that every server knows (OpenID Connect Core section 5.4 and 11). */
const wellKnownScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'groups', 'roles']

/** Scopes that clients may ask for, though nothing says what they mean. */
export function unknownScopes(raw: Raw): string[] {
  const known = new Set(wellKnownScopes)
  for (const [resource] of mapsAt(raw, 'resources')) {
    for (const scope of Object.keys(mapAt(resource, 'scopes'))) known.add(scope)
  }
  const unknown = (holder: Raw, path: Path) =>
    listAt(holder, 'scopes').flatMap((scope, at) =>
      typeof scope !== 'string' || known.has(scope)
        ? []
        : [
            `${keyOf([...path, 'scopes', at])}: no resource has the scope ${quote(scope)}${meant(nearest(scope, known))}`,
          ],
    )
  return [
    ...mapsAt(raw, 'clients').flatMap(([client, index]) => unknown(client, ['clients', index])),
    ...unknown(mapAt(raw, 'registration'), ['registration']),
  ]
}
