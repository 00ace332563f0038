import { describe, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { ClientOrigin, RegistrationRecord } from '@countersign/contracts/records'
import { newCommitId, type Commit, type Store } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { beginCommit, clientKey } from '@countersign/tokens'
import { addCopy, copiesOf, listAll } from '../clients/copies.ts'
import { registeredId, registrationListing } from './record.ts'
import { eventsOf, isActive, machineToken, openReplica, personToken, type Replica } from './testing/world.ts'

const machine = {
  redirect_uris: ['https://app.example/callback'],
  grant_types: ['client_credentials', 'authorization_code'],
}
/** Has no secret that takes its time to be hashed. */
const keyed = { ...machine, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example/jwks' }
const batch = { id: 'batch', secret: { reveal: () => 'secret' }, grants: ['client_credentials'], audience: ['reports'] }

/** A store whose process is gone after so many commits. */
function dyingStore(store: Store) {
  let left = Infinity
  const commit = async (asked: Commit) => {
    if (left-- <= 0) throw new Failure('unavailable', 'gone')
    return store.commit(asked)
  }
  const dying = new Proxy(store, {
    get: (target, name) => {
      if (name === 'commit') return commit
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return { dying, dieAfter: (commits: number) => void (left = commits) }
}

const credentialsOf = ({ told }: { told: Record<string, unknown> }) => ({
  id: String(told['client_id']),
  token: String(told['registration_access_token']),
  secret: String(told['client_secret']),
})

const leftovers = async (store: Store, partitions: number) => ({
  registrations: (await listAll(store, registrationListing)).length,
  copies: (
    await Promise.all(
      Array.from({ length: partitions }, (_, partition) => copiesOf(store, partition, ClientOrigin.REGISTERED)),
    )
  ).map((copies) => copies.length),
})

const remove = (replica: Replica, { id, token }: { id: string; token: string }) =>
  replica.ask('DELETE', `/oauth2/register/${id}`, undefined, token)

describe.each([1, 3])('with %i partitions', (partitions) => {
  const everywhere = Array.from({ length: partitions }, (_, partition) => partition)

  test('a client that is deleted is gone with all its tokens, for every replica at once', async () => {
    const store = createMemoryStore()
    const one = await openReplica({ store, partitions })
    const two = await openReplica({ store, partitions })
    const client = credentialsOf(await one.register(machine))
    const known = (await two.find(client.id))!
    const tokens = [await machineToken(store, two, known)]
    for (const partition of everywhere) tokens.push(await personToken(store, known, partition))
    const active = () => Promise.all(tokens.map((token) => isActive(store, token)))
    expect(await active()).toEqual(tokens.map(() => true))

    const { status, headers } = await remove(one, client)
    expect([status, headers.get('cache-control')]).toEqual([204, 'no-store'])
    expect(await active()).toEqual(tokens.map(() => false))
    for (const replica of [one, two]) {
      expect(await replica.find(client.id)).toBeUndefined()
      await expect(replica.authenticated(client.id, client.secret)).rejects.toMatchObject({ code: 'invalid_client' })
      expect((await remove(replica, client)).status).toBe(401)
    }
    await expect(machineToken(store, two, known)).rejects.toMatchObject({ code: 'conflict' })
    await expect((async () => two.directory.state(known, true))()).rejects.toMatchObject({ code: 'invalid_client' })
    for (const partition of everywhere) {
      const head = await store.facts(partition, undefined)
      const { facts } = await store.facts(partition, head.revision.replace(/\d+$/, '0'))
      expect(facts.map(({ fact }) => fact)).toEqual([{ kind: 'client', id: client.id }])
    }
    const types = (await eventsOf(store)).map(({ type }) => type)
    expect(types.filter((type) => type.startsWith('client.'))).toEqual(['client.created', 'client.deleted'])
    expect(await leftovers(store, partitions)).toEqual({ registrations: 0, copies: everywhere.map(() => 0) })
    await one.close()
    await two.close()
  })

  test('a process that dies while it registers leaves no client, and the next clears up after it', async () => {
    for (let commits = 0; commits <= partitions; commits++) {
      const store = createMemoryStore()
      const { dying, dieAfter } = dyingStore(store)
      const dead = await openReplica({ store: dying, partitions })
      dieAfter(commits)
      expect((await dead.register(keyed)).status).toBe(503)
      expect(await eventsOf(store)).toEqual([])
      for (const { value } of await listAll(store, registrationListing)) {
        expect(await dead.find(RegistrationRecord.decode(value).clientId)).toBeUndefined()
      }
      const next = await openReplica({ store, partitions })
      await next.registrations.heal()
      expect(await leftovers(store, partitions)).toEqual({ registrations: 0, copies: everywhere.map(() => 0) })
      await dead.close()
      await next.close()
    }
  })

  test('a process that dies while it deletes leaves no client, and its tokens die with the next', async () => {
    for (let commits = 1; commits <= partitions; commits++) {
      for (const heals of [true, false]) {
        const store = createMemoryStore()
        const { dying, dieAfter } = dyingStore(store)
        const dead = await openReplica({ store: dying, partitions })
        const client = credentialsOf(await dead.register(keyed))
        const known = (await dead.find(client.id))!
        const tokens = await Promise.all(everywhere.map((partition) => personToken(store, known, partition)))
        dieAfter(commits)
        expect((await remove(dead, client)).status).toBe(503)
        const next = await openReplica({ store, partitions })
        expect(await next.find(client.id)).toBeUndefined()
        expect((await next.ask('GET', `/oauth2/register/${client.id}`, undefined, client.token)).status).toBe(401)
        // Who deletes may try again, or leave it to the next start.
        if (heals) await next.registrations.heal()
        else expect((await remove(next, client)).status).toBe(204)
        expect(await Promise.all(tokens.map((token) => isActive(store, token)))).toEqual(tokens.map(() => false))
        expect(await leftovers(store, partitions)).toEqual({ registrations: 0, copies: everywhere.map(() => 0) })
        expect((await eventsOf(store)).map(({ type }) => type)).toEqual(['client.created', 'client.deleted'])
        await dead.close()
        await next.close()
      }
    }
  })
})

describe('starting', () => {
  test('leaves registered clients alone, and gives them copies in partitions that are new', async () => {
    const store = createMemoryStore()
    const before = await openReplica({ store, configured: [batch] })
    const { id, secret } = credentialsOf(await before.register(machine))
    const token = await machineToken(store, before, (await before.find(id))!)
    const after = await openReplica({ store, partitions: 4 })
    await after.registrations.heal()
    await after.registrations.heal()
    expect(await leftovers(store, 4)).toEqual({ registrations: 1, copies: [1, 1, 1, 1] })
    const client = await after.authenticated(id, secret)
    expect(await isActive(store, token)).toBe(true)
    expect(await isActive(store, await machineToken(store, after, client))).toBe(true)
    for (const partition of [0, 1, 2, 3]) {
      expect(await isActive(store, await personToken(store, client, partition))).toBe(true)
    }
    await before.close()
    await after.close()
  })

  test('does not take away what another process is registering: one of both gives way', async () => {
    const store = createMemoryStore()
    const starting = await openReplica({ store, partitions: 3 })
    let healed = false
    const slow = new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (name !== 'commit') return typeof member === 'function' ? member.bind(target) : member
        return async (commit: Commit) => {
          if (commit.partition === 2 && !healed) {
            healed = true
            await starting.registrations.heal()
          }
          return target.commit(commit)
        }
      },
    })
    const registering = await openReplica({ store: slow, partitions: 3 })
    expect(await registering.register(keyed)).toMatchObject({
      status: 503,
      told: { error: 'temporarily_unavailable' },
    })
    expect(await leftovers(store, 3)).toEqual({ registrations: 0, copies: [0, 0, 0] })
    expect((await registering.register(keyed)).status).toBe(201)
    await starting.close()
    await registering.close()
  })

  test('clears up copies that somebody wrote too late', async () => {
    const store = createMemoryStore()
    const replica = await openReplica({ store, partitions: 3 })
    const id = registeredId(Buffer.alloc(16))
    for (const partition of [1, 2]) {
      const commit = beginCommit({ commitId: newCommitId() }, partition)
      const terms = { id, origin: ClientOrigin.REGISTERED, digest: '', homePartition: 2 }
      addCopy(commit, terms, { client: undefined, standingGrant: undefined }, 1)
      await store.commit(commit)
    }
    await replica.registrations.heal()
    expect(await leftovers(store, 3)).toEqual({ registrations: 0, copies: [0, 0, 0] })
    await replica.close()
  })

  test('refuses a configured id that looks like a registered one', async () => {
    const configured = [{ ...batch, id: `cs_client_${'A'.repeat(22)}` }]
    await expect(openReplica({ configured })).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('does not bring the tokens of a configured client back that was away for a while', async () => {
    const store = createMemoryStore()
    const open = (present: boolean) => openReplica({ store, configured: present ? [batch] : [] })
    const first = await open(true)
    const token = await machineToken(store, first, (await first.find('batch'))!)
    expect(await isActive(store, token)).toBe(true)
    await (await open(false)).close()
    expect(await store.get([clientKey(0, 'batch')])).toEqual([undefined])
    const back = await open(true)
    expect(await isActive(store, token)).toBe(false)
    expect(await isActive(store, await machineToken(store, back, (await back.find('batch'))!))).toBe(true)
    await first.close()
    await back.close()
  })
})
