import {
  accountClaims,
  accountKey,
  claimsForScopes,
  claimsRequested,
  decodeAccount,
  type AccountClaims,
} from '@countersign/accounts'
import type { Partition } from '@countersign/contracts'
import type { GrantRecord } from '@countersign/contracts/records'
import type { Store } from '@countersign/store'
import { scopesOf, type Standing } from '@countersign/tokens'

/** What a token, or an answer about a person, says of their roles and attributes (RFC 9068 section 2.2.3.1). */
export const standingClaims = ({ roles, attributes }: Standing) => ({
  ...(roles.length > 0 && { roles }),
  ...(attributes.length > 0 && {
    attributes: Object.fromEntries(attributes.map(({ name, values }) => [name, values])),
  }),
})

/** What clients may know of people. */
export interface People {
  /** For userinfo: by scope, and by what `claims` asked for. `sub` is the account's; whoever tells it puts the client's in its place. */
  userinfoClaims(partition: Partition, grant: GrantRecord, scope: string): Promise<Partial<AccountClaims>>
  /** What `claims` asked the ID token to have. */
  idTokenClaims(partition: Partition, grant: GrantRecord): Promise<Partial<AccountClaims>>
}

export function createPeople(store: Pick<Store, 'get'>): People {
  async function claimsOf(partition: Partition, subject: string): Promise<AccountClaims | undefined> {
    const [entry] = await store.get([accountKey(partition, subject)])
    const account = entry && decodeAccount(entry.value)
    return account && accountClaims(account)
  }

  return {
    async userinfoClaims(partition, grant, scope) {
      const claims = await claimsOf(partition, grant.subject)
      if (!claims) return {}
      return { ...claimsForScopes(claims, scopesOf(scope)), ...claimsRequested(claims, requestOf(grant, 'userinfo')) }
    },

    async idTokenClaims(partition, grant) {
      const claims = await claimsOf(partition, grant.subject)
      return claims ? claimsRequested(claims, requestOf(grant, 'id_token')) : {}
    },
  }
}

/** One member of the `claims` parameter, which was checked to be a JSON object. */
function requestOf({ claims }: GrantRecord, member: 'userinfo' | 'id_token'): unknown {
  return claims === '' ? undefined : (JSON.parse(claims) as Record<string, unknown>)[member]
}
