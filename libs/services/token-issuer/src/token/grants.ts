import type { KeyObject } from 'node:crypto'
import { Failure, type Millis } from '@countersign/contracts'
import { TokenRecord } from '@countersign/contracts/records'
import type { Store } from '@countersign/store'
import {
  createRecordReader,
  issueClientCredentials,
  limits as tokenLimits,
  redeemCode,
  refresh,
  tokenKey,
  tokenSecretBytes,
  type AccessToken,
  type TokenFormat,
} from '@countersign/tokens'
import type { ClientDirectory } from '../clients/directory.ts'
import { decideAndCommit } from '../decide.ts'
import { decidingFor, required, resourcesOf, type Given, type GrantHandler } from './request.ts'

export interface GrantOptions {
  store: Store
  format: TokenFormat
  directory: ClientDirectory
  /** Refresh tokens' successors are derived under the first; under the second when that was first. */
  successorKeys: readonly KeyObject[]
  refreshGraceMs: Millis
  now: () => Millis
  commitId: () => string
  randomBytes: (bytes: number) => Uint8Array
}

/** RFC 6749 section 4.4. */
export function clientCredentialsGrant(options: GrantOptions): GrantHandler {
  const { store, format, directory, randomBytes } = options
  return async ({ client, form, http, confirmation }) => {
    const issued = await decideAndCommit(store, async (again) => {
      const state = directory.state(client, again)
      const request = {
        client,
        state: state instanceof Promise ? await state : state,
        scope: form.get('scope'),
        resources: resourcesOf(form),
        confirmation,
      }
      const by = decidingFor({ client, http }, options)
      return issueClientCredentials(request, format, randomBytes(tokenSecretBytes), by)
    })
    return { access: issued!.access }
  }
}

/** RFC 6749 section 4.1.3. */
export function authorizationCodeGrant(options: GrantOptions): GrantHandler {
  const { store, format, randomBytes } = options
  const records = createRecordReader()
  return async ({ client, form, http, confirmation }) => {
    const code = required(form, 'code')
    const parsed = code.length <= tokenLimits.tokenCharacters ? format.parse(code) : undefined
    const refused = () => new Failure('invalid_grant', 'the code is expired, used, or not of this client')
    if (!parsed) throw refused()
    const redeemed = await decideAndCommit(store, async () => {
      const entries = await store.follow(tokenKey(parsed.partition, parsed.recordDigest))
      if (!entries) throw refused()
      const redemption = {
        parsed,
        held: records.held(entries),
        client,
        redirectUri: form.get('redirect_uri'),
        codeVerifier: form.get('code_verifier'),
        confirmation,
      }
      const secrets = { access: randomBytes(tokenSecretBytes), refresh: randomBytes(tokenSecretBytes) }
      return redeemCode(redemption, format, secrets, decidingFor({ client, http }, options))
    })
    if (redeemed!.kind === 'reused') throw refused()
    const { access, grant, nonce, refreshToken } = redeemed!
    return { access, grant, nonce, refreshToken, code }
  }
}

/** RFC 6749 section 6. */
export function refreshTokenGrant(options: GrantOptions): GrantHandler {
  const { store, format, successorKeys, refreshGraceMs } = options
  const records = createRecordReader()
  return async ({ client, form, http, confirmation }) => {
    const token = required(form, 'refresh_token')
    const parsed = token.length <= tokenLimits.tokenCharacters ? format.parse(token) : undefined
    const refused = () => new Failure('invalid_grant', 'the refresh token is expired, revoked, or not of this client')
    if (!parsed?.family) throw refused()
    let given: Given | undefined
    await decideAndCommit(store, async () => {
      const entries = await store.follow(tokenKey(parsed.partition, parsed.recordDigest))
      if (!entries) throw refused()
      const held = records.held(entries)
      const request = {
        token,
        parsed,
        held,
        client,
        scope: form.get('scope'),
        resources: resourcesOf(form),
        confirmation,
      }
      const by = decidingFor({ client, http }, options)
      const refreshed = refresh(request, format, successorKeys, refreshGraceMs, by)
      const grant = held.grant!.record
      if (refreshed.kind === 'repeated') {
        const { access, refreshToken } = refreshed
        given = { access: await asIssued(store, access), refreshToken, grant }
        return undefined
      }
      given = refreshed.kind === 'rotated' ? { ...refreshed, grant } : undefined
      return { commit: refreshed.commit }
    })
    if (!given) throw refused()
    return given
  }
}

/** The access token as the first of several uses got it: its scope, binding and expiry. */
async function asIssued(store: Pick<Store, 'get'>, access: AccessToken): Promise<AccessToken> {
  const [entry] = await store.get([access.put.key])
  // It has expired, and is gone: the client hears of a token without a lifetime, and refreshes again.
  if (!entry) return { ...access, record: { ...access.record, expiresAt: access.record.issuedAt } }
  return { ...access, record: TokenRecord.decode(entry.value) }
}
