import { beforeEach, describe, expect, test } from '@jest/globals'
import type { AccessToken } from './access-token.ts'
import { describe as describeToken, revokedBy } from './introspect.ts'
import { beginCommit } from './deciding.ts'
import { limits } from './limits.ts'
import { clientKey, tokenKey } from './records.ts'
import { endSessions, revokeGrant, revokeToken } from './revoke.ts'
import { endSubject } from './subject.ts'
import { by, clients, ExchangeSetting, now, partition } from './testing/exchange-setting.ts'

describe('what came of an exchange', () => {
  let setting: ExchangeSetting
  let parent: AccessToken
  let middle: AccessToken
  let last: AccessToken

  beforeEach(async () => {
    setting = await new ExchangeSetting().start()
    parent = await setting.given()
    middle = await setting.exchanged('reports-api', parent)
    last = await setting.exchanged('mail-api', middle)
  })

  const areDead = async () => {
    expect([await setting.lives(middle), await setting.lives(last)]).toEqual([false, false])
    expect(describeToken((await setting.presented(last)).held, last.digest, now)).toEqual({ active: false })
    expect(await setting.refusal('disk-api', last)).toBe('invalid_request')
  }

  test('ends with the first token', async () => {
    const { held, parsed } = await setting.presented(parent)
    const place = { ...parsed, digest: parsed.recordDigest }
    await setting.store.commit(revokeToken({ held, parsed: place, client: clients.get('web')! }, by())!)
    await areDead()
  })

  test('ends with a token in between, which leaves the first alone', async () => {
    const { held, parsed } = await setting.presented(middle)
    const place = { ...parsed, digest: parsed.recordDigest }
    await setting.store.commit(revokeToken({ held, parsed: place, client: clients.get('reports-api')! }, by())!)
    await areDead()
    expect(await setting.lives(parent)).toBe(true)
  })

  test('ends with the grant, the session and the subject', async () => {
    const { grant, session, subject } = (await setting.presented(last)).held
    const ends = [
      revokeGrant({ partition, grant: grant!, reason: 'test' }, by())!,
      endSessions({ partition, sessions: [session!], reason: 'test' }, by())!,
      endSubject({ partition, id: 'alice', subject: subject!, as: 'signed_out', reason: 'test' }, by()),
    ]
    for (const end of ends) {
      const put = end.puts[0]!
      const [before] = await setting.store.get([put.key])
      await setting.store.commit(end)
      await areDead()
      await setting.put({ ...put, value: before!.value })
      expect(await setting.lives(last)).toBe(true)
    }
  })

  test('ends with any of the clients whose hands it went through, disabled or with all its tokens revoked', async () => {
    for (const over of [{ disabledAt: 1 }, { epoch: 1 }]) {
      for (const id of ['web', 'reports-api']) {
        await setting.putClient(id, over)
        await areDead()
        await setting.putClient(id)
        expect(await setting.lives(last)).toBe(true)
      }
      await setting.putClient('mail-api', over)
      expect([await setting.lives(middle), await setting.lives(last)]).toEqual([true, false])
      await setting.putClient('mail-api')
    }
  })

  test('names every client on its way as what would end it', async () => {
    const { held } = await setting.presented(last)
    const named = revokedBy(held, last.digest).filter(({ kind }) => kind === 'client')
    expect(named.map(({ id }) => id).toSorted()).toEqual(['mail-api', 'reports-api', 'web'])
  })

  test('ends when a record that it stands on is missing', async () => {
    const keys = [parent, middle].map(({ digest }) => tokenKey(partition, digest))
    for (const key of [...keys, clientKey(partition, 'reports-api')]) {
      const [entry] = await setting.store.get([key])
      await setting.store.commit({ ...beginCommit(by(), partition), deletes: [key] })
      expect(await setting.lives(last)).toBe(false)
      const links = [parent, middle].find(({ put }) => put.key === key)?.put.links
      await setting.put({ key, value: entry!.value, ...(links && { links }) })
      expect(await setting.lives(last)).toBe(true)
    }
  })

  test('is handed on only so often', async () => {
    let token = last
    for (let times = 2; times < limits.exchangesInARow; times++) token = await setting.exchanged('mail-api', token)
    expect(token.record.ancestors).toHaveLength(limits.exchangesInARow)
    expect(await setting.refusal('mail-api', token)).toBe('invalid_request')
  })
})
