import type { Log } from '@countersign/chassis'
import { startSlapd, type Slapd, type SlapdOptions } from '@countersign/servers'
import { Client } from 'ldapts'
import type { DirectoryOptions, Person } from '../directory.ts'

export const suffix = 'dc=example,dc=org'
export const people = `ou=people,${suffix}`
export const groups = `ou=groups,${suffix}`

const unit = (name: string) => `dn: ou=${name},${suffix}\nobjectClass: organizationalUnit\nou: ${name}\n\n`

/** An entry of a person as LDIF; what is not ASCII goes as base64 (RFC 2849). */
function person(uid: string, attributes: Readonly<Record<string, string | readonly string[]>> = {}): string {
  const all = { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid, mail: `${uid}@example.org`, ...attributes }
  const line = (name: string, value: string) => `${name}:: ${Buffer.from(value).toString('base64')}\n`
  const lines = Object.entries(all).flatMap(([name, values]) => [values].flat().map((value) => line(name, value)))
  return `${line('dn', `uid=${uid},${people}`)}${lines.join('')}\n`
}

export const ldif = [
  unit('people'),
  unit('groups'),
  person('ada', { departmentNumber: ['Analysis', 'Engines'], employeeNumber: 'a1' }),
  person('bob'),
  person('jürgen', { employeeNumber: 'j2' }),
  person('twin1', { mail: 'twin@example.org' }),
  person('twin2', { mail: 'twin@example.org' }),
  person('many', {
    description: ['x'.repeat(257), ...Array.from({ length: 60 }, (_, n) => `value ${String(n).padStart(3, '0')}`)],
  }),
].join('')

export interface Tree extends Slapd {
  add(dn: string, attributes: Record<string, string | string[]>): Promise<void>
}

export const dnOf = (uid: string) => `uid=${uid},${people}`

export async function plantTree(options: SlapdOptions = {}): Promise<Tree> {
  const server = await startSlapd({ suffix, ldif, ...options })
  const add = async (dn: string, attributes: Record<string, string | string[]>) => {
    const secured = options.tls && { url: server.secureUrl!, tlsOptions: { ca: options.tls.cert } }
    const client = new Client(secured ?? { url: server.url })
    await client.bind(server.manager.dn, server.manager.password)
    await client.add(dn, attributes)
    await client.unbind()
  }
  const tree = Object.assign(server, { add })
  const given = { Engineers: ['ada', 'jürgen'], operators: ['ada'], everybody: ['ada', 'bob', 'twin1'] }
  try {
    for (const [name, members] of Object.entries(given)) await addGroup(tree, name, members)
  } catch (thrown) {
    await tree.stop()
    throw thrown
  }
  return tree
}

export const addGroup = (tree: Tree, cn: string, members: readonly string[]) =>
  tree.add(`cn=${cn},${groups}`, { objectClass: 'groupOfNames', cn, member: members.map(dnOf) })

export const who = (given: Partial<Person> = {}): Person => ({
  provider: 'staff',
  subject: 'nobody-in-particular',
  loginName: undefined,
  email: undefined,
  ...given,
})

/** A directory by login name that names its groups. */
export const directoryAt = (url: string, more: Partial<DirectoryOptions> = {}): DirectoryOptions => ({
  id: 'main',
  url,
  base: people,
  filter: '(uid={login_name})',
  roles: { engineers: ['engineer'], operators: ['admin', 'engineer'] },
  attributes: {},
  timeoutMs: 3_000,
  ...more,
})

/** A log that is kept. */
export function keepingLog(): Log & { lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const keep = (fields: object, message: string) => void lines.push({ ...fields, message })
  return { lines, error: keep, warn: keep }
}
