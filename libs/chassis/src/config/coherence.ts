import { readHostPort } from './address.ts'
import { checkClient } from './client-coherence.ts'
import { keyOf, type Path } from './problem.ts'
import { listAt, mapAt, mapsAt, textAt, type Raw } from './raw.ts'
import type { Report } from './references.ts'

/** What must fit together within a client, a provider, a directory, … and between listeners. */
export function checkCoherence(raw: Raw, report: Report): void {
  for (const [client, index] of mapsAt(raw, 'clients')) {
    checkClient(client, (path, message) => report(['clients', index, ...path], message))
  }
  checkLocal(raw, report)
  for (const [role, index] of mapsAt(raw, 'roles')) checkWhen(mapAt(role, 'when'), ['roles', index, 'when'], report)
  for (const [directory, index] of mapsAt(raw, 'directories')) {
    checkPair(directory, ['bind_dn', 'bind_password'], (path, message) =>
      report(['directories', index, ...path], message),
    )
  }
  checkPair(mapAt(raw, 'mail'), ['username', 'password'], (path, message) => report(['mail', ...path], message))
  for (const [rule, index] of mapsAt(mapAt(raw, 'forward_auth'), 'rules')) {
    checkRule(rule, (path, message) => report(['forward_auth', 'rules', index, ...path], message))
  }
  const registration = mapAt(raw, 'registration')
  if (registration.enabled === true && listAt(registration, 'initial_access_tokens').length === 0) {
    report(['registration', 'enabled'], 'needs initial_access_tokens, or anybody could register')
  }
  checkListeners(mapAt(raw, 'listen'), report)
}

/** Accounts are kept in one place, so that one provider of this kind is all of them. */
function checkLocal(raw: Raw, report: Report): void {
  const [first, ...others] = mapsAt(raw, 'providers').filter(([{ kind }]) => kind === 'local')
  for (const [, index] of others) {
    report(['providers', index, 'kind'], `local is ${keyOf(['providers', first![1]])} already; there is one at most`)
  }
}

/** Without a condition everybody would have the roles. */
function checkWhen(when: Raw, path: Path, report: Report): void {
  const { attributes, ...others } = when
  if (Object.keys(others).length > 0 || Object.keys(attributes ?? {}).length > 0) return
  report(path, 'needs a condition: provider, email, email_domains, login_name, roles or attributes')
}

function checkPair(given: Raw, keys: readonly [string, string], report: Report): void {
  for (const [has, needs] of [keys, keys.toReversed()] as [string, string][]) {
    if (given[has] !== undefined && given[needs] === undefined) report([has], `needs ${needs} beside it`)
  }
}

/** Nobody has to be known where everybody is let through, so nothing can be asked of them. */
function checkRule(rule: Raw, report: Report): void {
  if (rule.anonymous !== true) return
  const asks = ['scopes', 'roles', 'attributes'].find((key) => Object.keys((rule[key] as object) ?? {}).length > 0)
  if (asks !== undefined) report(['anonymous'], `lets everybody through, which ${asks} beside it does not`)
}

function checkListeners(listen: Raw, report: Report): void {
  const firsts = new Map<string, string>()
  for (const name of ['http', 'grpc', 'management']) {
    const given = textAt(listen, name)
    const port = readHostPort(given ?? '')?.port
    if (given === undefined || !port) continue
    const first = firsts.get(given)
    if (first !== undefined) report(['listen', name], `${given} is ${keyOf(['listen', first])} already`)
    firsts.set(given, first ?? name)
  }
}
