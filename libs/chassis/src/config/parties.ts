import { z } from 'zod'
import { hostText } from './address.ts'
import { secret, type Surroundings } from './credential.ts'
import { choice, identifier, list, map, matching, phrase, scopeToken, text, texts } from './leaf.ts'
import { asProperties } from './spelling.ts'
import { audienceUri, foreignIssuerUrl, webUrl } from './url.ts'

export const resources = () =>
  list(
    map({
      id: identifier().describe('What clients here call it by.'),
      audience: audienceUri().describe('The `aud` of tokens for it, and its resource indicator (RFC 8707).'),
      scopes: z
        .record(scopeToken(), phrase(), { error: 'a map of scopes to their descriptions' })
        .prefault({})
        .meta({ title: 'a map of scopes to their descriptions' })
        .describe('Scopes that mean something to it, and what they allow, in words for the consent page.'),
    }),
  )
    .prefault([])
    .describe('Resource servers: what tokens are for.')

const kind = <const Kind extends string>(name: Kind) => z.literal(name).meta({ title: name })

/** Whose tokens may be exchanged (RFC 8693 section 2.1): an `aud` or `azp` that is not named was meant for somebody else. */
const tokenExchange = () =>
  map({
    audience: texts(phrase(), 1).describe('One of these has to be in their `aud`.'),
    authorized_parties: texts(phrase(), 1)
      .optional()
      .describe('Their `azp`, or else `client_id`, has to be one of these; left out, any.'),
  })
    .transform(asProperties)
    .optional()
    .describe('Takes its access and ID tokens in exchange for ours (RFC 8693).')

const provider = (surroundings: Surroundings) => {
  const id = identifier().describe('What it is called in URLs and rules.')
  const registration = {
    client_id: phrase().describe('Our client id there.'),
    client_secret: secret(surroundings).optional().describe('Our client secret there.'),
  }
  const google = map({ id, kind: kind('google').describe('Google.'), ...registration }).transform(asProperties)
  const oidc = map({
    id,
    kind: kind('oidc').describe('OpenID Connect, by discovery.'),
    issuer: foreignIssuerUrl().describe('Its issuer, letter by letter as its tokens have it.'),
    ...registration,
    roles_claim: phrase().optional().describe('The claim that lists a person’s roles.'),
    token_exchange: tokenExchange(),
  }).transform(asProperties)
  const oauth2 = map({
    id,
    kind: kind('oauth2').describe('OAuth 2.0 without OpenID Connect.'),
    authorization_url: webUrl().describe('Its authorization endpoint.'),
    token_url: webUrl().describe('Its token endpoint.'),
    userinfo_url: webUrl().describe('Where it says who signed in.'),
    ...registration,
    email_field: phrase().prefault('email').describe('The field of the userinfo answer that is the email address.'),
  }).transform(asProperties)
  const local = map({ id, kind: kind('local').describe('Accounts kept here.') })
  return z.discriminatedUnion('kind', [google, oidc, oauth2, local], { error: 'a map of keys' })
}

export const providers = (surroundings: Surroundings) =>
  list(provider(surroundings)).prefault([]).describe('Who signs people in.')

const email = () =>
  text('an email address', (given) =>
    /^[^\s@"<>\p{Cc}]{1,64}@[^\s@"<>\p{Cc}]{1,255}$/u.test(given) ? given : undefined,
  )

export const roles = () =>
  list(
    map({
      grant: texts(identifier()).describe('Roles to give.'),
      when: map({
        provider: identifier().describe('Id of the provider that they signed in with.'),
        email: texts(email()).optional().describe('Only these addresses.'),
      }).describe('To whom.'),
    }),
  )
    .prefault([])
    .describe('Roles that people have when they sign in.')

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
        host: hostText().describe('The host that was asked for.'),
        path: matching('a path that begins with /', /^\/[\x21-\x7e]*$/)
          .prefault('/')
          .describe('What the path begins with.'),
        methods: texts(choice(methods)).optional().describe('Only these methods.'),
        scopes: texts(scopeToken()).prefault([]).describe('Scopes that are needed.'),
      }),
    )
      .prefault([])
      .describe('The first rule that fits decides.'),
  })
    .prefault({})
    .describe('What a reverse proxy asks about.')
