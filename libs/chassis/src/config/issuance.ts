import { grantTypes } from './client.ts'
import { secret, type Surroundings } from './credential.ts'
import { duration } from './duration.ts'
import { choice, flag, identifier, map, scopeToken, texts } from './leaf.ts'
import { limits } from './limits.ts'
import { asProperties } from './spelling.ts'

export const keys = () =>
  map({
    rotate_every: duration(limits.durationsMs.keyRotation)
      .prefault('90d')
      .describe('How long a key signs before the next, which was published meanwhile, takes its place.'),
  })
    .transform(({ rotate_every }) => ({ rotateEveryMs: rotate_every }))
    .prefault({})
    .describe('The keys that tokens are signed with.')

export const authorization = () =>
  map({
    request_objects: choice(['refused', 'signed'])
      .prefault('refused')
      .describe('Whether requests may come as signed JWTs (RFC 9101); unsigned ones never may.'),
    require_pushed_requests: flag()
      .prefault(false)
      .describe('Whether every client has to push its authorization requests (RFC 9126).'),
    dpop_nonces: flag()
      .prefault(false)
      .describe('Whether DPoP proofs have to carry a nonce of ours (RFC 9449 section 8).'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('How clients ask for authorization.')

export const registration = (surroundings: Surroundings) =>
  map({
    enabled: flag().prefault(false).describe('Whether clients may register themselves; needs `initial_access_tokens`.'),
    initial_access_tokens: texts(secret(surroundings, limits.initialAccessTokenCharacters))
      .prefault([])
      .describe('Whoever has one of these may register clients (RFC 7591 section 3).'),
    scopes: texts(scopeToken()).prefault([]).describe('Scopes that registered clients may ask for.'),
    audience: texts(identifier()).prefault([]).describe('Ids of the resources that their tokens are for.'),
    grants: texts(choice(grantTypes))
      .prefault(['authorization_code', 'refresh_token'])
      .describe('Grants that they may use.'),
  })
    .transform(asProperties)
    .prefault({})
    .describe('Clients that register themselves (RFC 7591, RFC 7592).')
