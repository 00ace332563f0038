import { hostText } from './address.ts'
import { choice, flag, identifier, list, map, mapOf, matching, phrase, scopeToken, texts } from './leaf.ts'
import { audienceUri } from './url.ts'

export const resources = () =>
  list(
    map({
      id: identifier().describe('What clients here call it by.'),
      audience: audienceUri().describe('The `aud` of tokens for it, and its resource indicator (RFC 8707).'),
      scopes: mapOf(scopeToken(), phrase(), 'a map of scopes to their descriptions')
        .prefault({})
        .describe('Scopes that mean something to it, and what they allow, in words for the consent page.'),
    }),
  )
    .prefault([])
    .describe('Resource servers: what tokens are for.')

export const bridges = () =>
  list(
    map({
      id: identifier().describe('What it is called in URLs.'),
      provider: identifier().describe('Id of the provider that it leads to.'),
      scopes: texts(scopeToken()).prefault([]).describe('Scopes to ask the provider for.'),
    }),
  )
    .prefault([])
    .describe('Client bridges: the provider’s tokens, for an app that cannot keep its secret.')

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export const forwardAuth = () =>
  map({
    rules: list(
      map({
        host: hostText().describe('The host that was asked for, whatever the port.'),
        path: matching('a path that begins with /', /^\/[\x21-\x7e]*$/)
          .prefault('/')
          .describe('That path and all below it; of one that ends with `/`, only what is below.'),
        methods: texts(choice(methods)).optional().describe('Only these methods; `GET` is `HEAD` as well.'),
        scopes: texts(scopeToken()).prefault([]).describe('Scopes that are needed, all of them.'),
        roles: texts(phrase()).prefault([]).describe('Roles that are needed, all of them.'),
        attributes: mapOf(identifier(), texts(phrase(), 1), 'a map of attributes to lists of values')
          .prefault({})
          .describe('Attributes that are needed, each with one of its values.'),
        anonymous: flag().prefault(false).describe('Let everybody through, whether they are known or not.'),
      }),
    )
      .prefault([])
      .describe('The first rule that fits decides.'),
  })
    .prefault({})
    .describe('What a reverse proxy asks about.')
