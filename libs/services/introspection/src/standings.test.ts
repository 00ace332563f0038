import { beforeEach, expect, test } from '@jest/globals'
import { Failure } from '@countersign/contracts'
import { ClientRecord } from '@countersign/contracts/records'
import { Standings } from './standings.ts'

const caller = { id: 'api' }
const refused = expect.objectContaining({ code: 'invalid_client' })
const soon = () => new Promise((resolve) => setImmediate(resolve))

let record: Partial<ClientRecord> | undefined
let isDown: boolean
let reads: number
let now: number
let standings: Standings

beforeEach(() => {
  ;[record, isDown, reads, now] = [{}, false, 0, 0]
  const get = async (keys: string[]) => {
    reads++
    if (isDown) throw new Failure('unavailable', 'down')
    const value = record && ClientRecord.encode({ ...ClientRecord.decode(new Uint8Array()), ...record }).finish()
    return value ? [{ key: keys[0]!, version: 'v', value }] : [undefined]
  }
  standings = new Standings({ get }, () => now)
})

test('a caller is read once, and again when something about it has changed', async () => {
  standings.check(caller)
  await soon()
  record = { disabledAt: 1 }
  standings.changed('other')
  for (let times = 0; times < 3; times++) standings.check(caller)
  expect(reads).toBe(1)
  standings.changed('api')
  standings.check(caller)
  await soon()
  for (let times = 0; times < 3; times++) expect(() => standings.check(caller)).toThrow(refused)
  expect(reads).toBe(2)
  record = {}
  standings.changedPerhaps()
  expect(() => standings.check(caller)).toThrow(refused)
  await soon()
  standings.check(caller)
})

test('while the store is down what was known holds, and it is asked now and then', async () => {
  isDown = true
  for (let times = 0; times < 5; times++) {
    standings.check(caller)
    await soon()
  }
  expect(reads).toBe(1)
  now += 1_000
  isDown = false
  record = { disabledAt: 1 }
  standings.check(caller)
  await soon()
  expect(() => standings.check(caller)).toThrow(refused)
})

test('a change that is told while it is read is read, too', async () => {
  standings.check(caller)
  standings.changed('api')
  await soon()
  record = { disabledAt: 1 }
  standings.check(caller)
  await soon()
  expect(() => standings.check(caller)).toThrow(refused)
})
