import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { system } from '@countersign/tokens'
import { act, confirmed, People } from '../account/testing/people.ts'
import { Authenticator, type Twist } from '../account/testing/authenticator.ts'
import { Browser, type Page } from '../testing/browser.ts'
import { makeRevocable } from '../testing/certificate.ts'

const path = '/account/passkeys'
const origin = 'http://localhost:8080'

let people: People
let browser: Browser

beforeEach(async () => {
  people = await People.open()
  await people.world.addAccount('alice')
  browser = await people.withPassword('alice')
})
afterEach(() => people.world.close())

const optionsIn = ({ text }: Page) => /data-options="([^"]+)"/.exec(text)![1]!.replaceAll('&quot;', '"')

async function add(device: Authenticator, twist: Twist = {}): Promise<Page> {
  const page = await act(browser, path, { act: 'add', ...confirmed })
  const credential = device.create(optionsIn(page), twist)
  return browser.send(path, { ...page.fields, credential, name: 'My phone' })
}

async function signIn(device: Authenticator, elsewhere = new Browser(people.world.origin)): Promise<Page> {
  const page = await elsewhere.open('/login')
  const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)![1]!
  return elsewhere.send('/login', { csrf: page.fields.csrf!, ticket, passkey: device.get(optionsIn(page)) })
}

const signIns = () => people.world.authorization.signIns.length

describe('signing in with a passkey', () => {
  test('is for accounts of ours: whoever came by a provider would become somebody else', async () => {
    const device = new Authenticator(origin)
    expect((await add(device)).status).toBe(303)
    expect((await signIn(device)).status).toBe(303)
    const { directory } = people.world.service
    const alice = await people.accountOf(browser)
    await directory.change(alice, system, (record) => ({ record: { ...record, loginName: '' } }))
    const before = signIns()
    expect((await signIn(device)).status).toBe(401)
    expect(signIns()).toBe(before)
  })

  test('has five failures a minute from an address, and then not even the right one counts', async () => {
    const device = new Authenticator(origin)
    await add(device)
    const stranger = new Authenticator(origin)
    stranger.create(JSON.stringify({ challenge: 'x', rp: { id: 'localhost' }, user: { id: 'MDp4' } }))
    for (let n = 0; n < 5; n++) expect((await signIn(stranger)).status).toBe(401)
    const before = signIns()
    expect((await signIn(device)).status).toBe(429)
    expect(signIns()).toBe(before)
  })
})

describe('a new passkey', () => {
  let asked: string[]
  let internal: Server
  let url: string

  beforeEach(async () => {
    asked = []
    internal = createServer(({ url: path }, response) => {
      asked.push(path!)
      response.end('not for you')
    }).listen(0, '127.0.0.1')
    await once(internal, 'listening')
    url = `http://127.0.0.1:${(internal.address() as AddressInfo).port}/metadata`
  })
  afterEach(() => void internal.close())

  test.each(['apple', 'android-key', 'packed', 'tpm', 'fido-u2f', 'android-safetynet', 'made-up'])(
    'that a certificate vouches for as %s is refused, and nobody is asked about it',
    async (format) => {
      const statement = (challenge: Buffer, key: KeyObject) =>
        new Map<string, unknown>([
          ['alg', -7],
          ['sig', new Uint8Array(64)],
          ['x5c', makeRevocable(url, challenge, key).map((certificate) => new Uint8Array(certificate))],
        ])
      const page = await add(new Authenticator(origin), { attestation: { format, statement } })
      expect(page.status).toBe(400)
      expect(asked).toEqual([])
      expect((await people.accountOf(browser)).record.passkeys).toEqual([])
    },
  )
})
