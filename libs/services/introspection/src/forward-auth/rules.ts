import { Failure } from '@countersign/contracts'
import type { Identity } from './identity.ts'
import type { Original } from './original.ts'
import { readPath } from './path.ts'

/** What whoever asks needs to have: all of the scopes and roles, and of each attribute one of the values. */
export interface Requirement {
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly attributes: Readonly<Record<string, readonly string[]>>
  /** Everybody is let through, known or not. */
  readonly anonymous: boolean
}

export interface ForwardAuthRule extends Requirement {
  readonly host: string
  /** What the path begins with, as whole segments; one that ends with a slash: exactly so. */
  readonly path: string
  /** Absent: all. `GET` is `HEAD`, too. */
  readonly methods?: readonly string[] | undefined
}

/**
 * Finds the first rule that fits a request.
 * @throws Error for a rule whose path can be read in two ways: no request would ever fit
 */
export function createRules(rules: readonly ForwardAuthRule[]): (original: Original) => Requirement | undefined {
  const prepared = rules.map((rule, index) => {
    const read = readPath(rule.path)
    if (typeof read === 'string' || rule.path.includes('?'))
      throw new Error(`forward_auth.rules[${index}].path: ${rule.path}: no request has a path like that`)
    const { path } = read
    const below = path.endsWith('/') ? path : `${path}/`
    const methods = rule.methods && new Set(rule.methods)
    if (methods?.has('GET')) methods.add('HEAD')
    return { rule, host: rule.host.toLowerCase(), path, below, methods }
  })
  return (original) =>
    prepared.find(
      ({ host, path, below, methods }) =>
        host === original.host &&
        (original.path === path || original.path.startsWith(below)) &&
        (methods?.has(original.method) ?? true),
    )?.rule
}

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/**
 * What the query asks for: `scope`, `role` and `attribute=name:value`, each as often as needed. Undefined without a query.
 * @throws Failure `invalid_request`: what is misspelt there would otherwise not be required
 */
export function requirementOf(query: string): Requirement | undefined {
  const parameters = [...new URLSearchParams(query)]
  if (parameters.length === 0) return undefined
  const mistake = (why: string) => new Failure('invalid_request', why)
  const scopes: string[] = []
  const roles: string[] = []
  const attributes = Object.create(null) as Record<string, string[]>
  for (const [name, value] of parameters) {
    if (name === 'scope') {
      const words = value.split(' ')
      if (!words.every((word) => scopeToken.test(word))) throw mistake('scope holds scopes, with one space between')
      scopes.push(...words)
    } else if (name === 'role') {
      if (value === '') throw mistake('role is empty')
      roles.push(value)
    } else if (name === 'attribute') {
      const colon = value.indexOf(':')
      if (colon < 1 || colon === value.length - 1) throw mistake('attribute is name:value')
      ;(attributes[value.slice(0, colon)] ??= []).push(value.slice(colon + 1))
    } else throw mistake('the query may have scope, role and attribute')
  }
  return { scopes, roles, attributes, anonymous: false }
}

/** What somebody lacks of what is required; undefined: nothing. */
export function lacking({ scopes, roles, attributes }: Requirement, identity: Identity): string | undefined {
  const scope = identity.scopes === 'every' ? undefined : scopes.find((each) => !identity.scopes.includes(each))
  if (scope !== undefined) return `the scope ${scope} is needed`
  const role = roles.find((each) => !identity.roles.includes(each))
  if (role !== undefined) return `the role ${role} is needed`
  const attribute = Object.keys(attributes).find((name) => {
    const held = identity.attributes.find((each) => each.name === name)?.values ?? []
    return !attributes[name]!.some((value) => held.includes(value))
  })
  return attribute === undefined ? undefined : `another value of the attribute ${attribute} is needed`
}
