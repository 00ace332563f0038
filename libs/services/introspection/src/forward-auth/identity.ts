import type { Attribute } from '@countersign/contracts/records'

/** Whoever made a request, as far as it concerns an API. */
export interface Identity {
  readonly subject: string
  /** Empty for a person who signed in here, without an application between. */
  readonly clientId: string
  readonly scopes: readonly string[] | 'every'
  readonly roles: readonly string[]
  readonly attributes: readonly Attribute[]
}

/** What may stand in a header as it is: visible ASCII that neither escapes, separates nor quotes anything. */
const plain = /^[\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c\x3e-\x5b\x5d-\x7e]*$/

/** Percent-encodes the UTF-8 bytes of everything else. */
function encoded(text: string): string {
  if (plain.test(text)) return text
  return Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const character = String.fromCharCode(byte)
    return plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/**
 * What a gateway passes on of an identity, or of nobody. All headers are always there: a gateway that copies them puts them in the place
 * of what a client sent.
 * @param allScopes what a person has who signed in here
 */
export function identityHeaders(identity: Identity | undefined, allScopes: () => Iterable<string>) {
  const { subject = '', clientId = '', scopes = [], roles = [], attributes = [] } = identity ?? {}
  const held = scopes === 'every' ? [...allScopes()] : scopes
  const pairs = attributes.flatMap(({ name, values }) => values.map((value) => `${encoded(name)}=${encoded(value)}`))
  return {
    'x-auth-subject': encoded(subject),
    'x-auth-client': encoded(clientId),
    'x-auth-scopes': held.map(encoded).join(' '),
    'x-auth-roles': roles.map(encoded).join(','),
    'x-auth-attributes': pairs.join(','),
  }
}
