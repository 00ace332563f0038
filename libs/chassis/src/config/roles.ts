import { file, secret, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { identifier, list, map, mapOf, matching, phrase, text, texts } from './leaf.ts'
import { ldapFilter } from './ldap-filter.ts'
import { limits } from './limits.ts'
import { domain } from './providers.ts'
import { serverUrl } from './service-url.ts'
import { asProperties } from './spelling.ts'

const address = /^[^\s@"<>\p{Cc}]{1,64}@[^\s@"<>\p{Cc}]{1,255}$/u

/** Whether it looks like an e-mail address; only a letter to it can tell more. */
export const isEmail = (given: string): boolean => address.test(given)

const email = () => text('an email address', (given) => (isEmail(given) ? given : undefined))

const conditions = () =>
  map({
    provider: identifier().optional().describe('Id of the provider that they signed in with.'),
    email: texts(email(), 1).optional().describe('A trusted address of theirs is one of these.'),
    email_domains: texts(domain(), 1).optional().describe('A trusted address of theirs is in one of these domains.'),
    login_name: texts(phrase(), 1).optional().describe('They sign in here by one of these names.'),
    roles: texts(phrase(), 1).optional().describe('The provider or a directory gave them one of these roles.'),
    attributes: mapOf(identifier(), texts(phrase(), 1), 'a map of attributes to lists of values')
      .optional()
      .describe('The provider or a directory gave them each of these attributes, with one of its values.'),
  }).transform(asProperties)

export const roles = () =>
  list(
    map({
      grant: texts(identifier(), 1).describe('Roles to give.'),
      when: conditions().describe('To whom: all that is named has to hold, each by any of its values.'),
    }),
  )
    .prefault([])
    .describe('Roles that people have when they sign in, beside those that the provider and directories give.')

const distinguishedName = () =>
  matching('a distinguished name such as ou=people,dc=example,dc=org (RFC 4514)', /^[A-Za-z0-9][\w.-]*=[^\p{Cc}]+$/u)

const groups = () =>
  map({
    base: distinguishedName().describe('Where groups are searched for.'),
    filter: ldapFilter('(member={dn})', ['dn', 'login_name']).describe('Which of them a person is in.'),
    name: ldapAttribute().prefault('cn').describe('The attribute that is a group’s name.'),
  })
    .optional()
    .describe('Where groups name their members; left out, people name their groups, as `memberOf`.')

const ldapAttribute = () => matching('an attribute of the directory, such as mail', /^[A-Za-z0-9][A-Za-z0-9.;-]*$/)

export const directories = (surroundings: Surroundings) =>
  list(
    map({
      id: identifier().describe('What it is called in logs and metrics.'),
      url: serverUrl(['ldaps', 'ldap']).describe(
        'The server. `ldap://` has to turn TLS on (StartTLS) outside loopback, and with `ca`.',
      ),
      ca: file(surroundings).optional().describe('Certificates (PEM) of the authorities that may sign the server’s.'),
      bind_dn: phrase()
        .optional()
        .describe('Who we are there; left out, we search anonymously. Needs `bind_password`.'),
      bind_password: secret(surroundings).optional().describe('The password of `bind_dn`.'),
      base: distinguishedName().describe('Where people are searched for.'),
      filter: ldapFilter('(uid={login_name})', ['login_name', 'email', 'subject']).describe(
        'How the one who signed in is found; whoever is found twice is nobody.',
      ),
      groups: groups(),
      roles: mapOf(phrase(), texts(identifier(), 1), 'a map of groups to lists of roles')
        .prefault({})
        .describe('Roles that the members of a group have, by its name or its distinguished name.'),
      attributes: mapOf(identifier(), ldapAttribute(), 'a map of our names to attributes of the directory')
        .prefault({})
        .describe('Attributes that people have, and the directory’s that they are read from.'),
      providers: texts(identifier(), 1)
        .optional()
        .describe('Ids of providers; only who signs in with one of these is looked for.'),
      timeout: duration(limits.durationsMs.upstream).prefault('3s').describe('How long looking for a person may take.'),
    }).transform(({ timeout, ...rest }) => ({ ...asProperties(rest), timeoutMs: timeout })),
  )
    .prefault([])
    .describe('LDAP directories that give people roles and attributes when they sign in.')
