import { file, secret, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { map, phrase, text } from './leaf.ts'
import { limits } from './limits.ts'
import { isEmail } from './roles.ts'
import { serverUrl } from './service-url.ts'

/** `login@example.org`, `Example <login@example.org>`. */
function isSender(given: string): boolean {
  const [, name = '', address = given] = /^([^<>"]*) <([^<>]*)>$/.exec(given) ?? []
  return isEmail(address) && name.length <= limits.nameCharacters && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(name)
}

export const mail = (surroundings: Surroundings) =>
  map({
    url: serverUrl(['smtps', 'smtp']).describe(
      'The server. `smtp://` has to turn TLS on (STARTTLS) outside loopback, and with `ca`.',
    ),
    username: phrase().optional().describe('Who we are there. Needs `password`.'),
    password: secret(surroundings).optional().describe('The password of `username`.'),
    from: text('an email address, such as login@example.org or Example <login@example.org>', (given) =>
      isSender(given) ? given : undefined,
    ).describe('Who letters are from.'),
    ca: file(surroundings).optional().describe('Certificates (PEM) of the authorities that may sign the server’s.'),
    timeout: duration(limits.durationsMs.mail)
      .prefault('10s')
      .describe('How long each step of sending a letter may take: to connect, to be greeted, to be answered.'),
  })
    .transform(({ timeout, ...rest }) => ({ ...rest, timeoutMs: timeout }))
    .optional()
    .describe('How letters are sent: to reset a password, to invite, to tell of a change. Without it none are.')
