import { calls } from '../request.ts'
import { audience, foreignAudience } from '../settings.ts'
import type { Side, Tokens } from '../side.ts'

const wide = { scope: 'openid read:reports' }
const narrow = { scope: 'openid' }
const refreshed =
  (more: Readonly<Record<string, string>>, granted = wide) =>
  async (side: Side) =>
    side.refresh((await side.tokens(granted)).refresh_token, more)

async function rotated(side: Side): Promise<[old: string, next: string]> {
  const { refresh_token: old } = await side.tokens()
  return [old, (await side.refresh(old)).json<Tokens>().refresh_token]
}

export const refreshRequests = calls({
  'a refresh token': refreshed({}),
  'no refresh_token': (side) => side.refresh(''),
  'a refresh token that is garbage': (side) => side.refresh('garbage'),
  'an access token in its place': async (side) => side.refresh((await side.tokens()).access_token),
  'a code in its place': async (side) => side.refresh(await side.code()),
  'the next refresh token': async (side) => side.refresh((await rotated(side))[1]),
  'a refresh token that was rotated': async (side) => side.refresh((await rotated(side))[0]),
  'the next one, after the first was used twice': async (side) => {
    const [old, next] = await rotated(side)
    await side.refresh(old)
    return side.refresh(next)
  },
  'a refresh token of another client': refreshed({ client_id: 'phone' }),
  'a revoked refresh token': async (side) => {
    const { refresh_token: token } = await side.tokens()
    await side.post('/oauth2/revoke', { client_id: 'web', token })
    return side.refresh(token)
  },
  'a narrower scope': refreshed({ scope: 'openid' }),
  'a wider scope': refreshed({ scope: 'openid read:reports' }, narrow),
  'a scope that nobody knows': refreshed({ scope: 'openid nothing:like-it' }),
  'the resource of the grant': async (side) =>
    side.refresh((await side.tokens({ ...wide, resource: audience })).refresh_token, { resource: audience }),
  'a resource of others': refreshed({ resource: foreignAudience }),
  'refresh_token twice': async (side) => {
    const { refresh_token: token } = await side.tokens()
    const form = `grant_type=refresh_token&client_id=web&refresh_token=${token}`
    return side.post('/oauth2/token', `${form}&refresh_token=${token}`)
  },
})
