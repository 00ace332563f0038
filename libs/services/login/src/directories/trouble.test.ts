import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { freePort, startProxy } from '@countersign/servers'
import { makeCertificate } from '../testing/certificate.ts'
import { converse } from './connection.ts'
import { createDirectories } from './directories.ts'
import type { DirectoryOptions } from './directory.ts'
import { limits } from './limits.ts'
import { directoryAt, keepingLog, plantTree, who, type Tree } from './testing/tree.ts'

const { cert, key } = makeCertificate()
const another = makeCertificate()
let tree: Tree
beforeAll(async () => {
  tree = await plantTree({ tls: { cert, key } })
})
afterAll(() => tree.stop())

const nothing = { roles: [], attributes: [] }
const secret = (text: string) => ({ reveal: () => text })

function directoriesAt(url: string, more: Partial<DirectoryOptions> = {}, nowMs?: () => number) {
  const log = keepingLog()
  const directories = createDirectories({
    directories: [directoryAt(url, { timeoutMs: 300, ...more })],
    log,
    ...(nowMs && { nowMs }),
  })
  const lookUp = () => directories.lookUp({ ...who({ loginName: 'ada' }), accountId: 'account-1' })
  return { lookUp, stats: directories.stats, lines: log.lines }
}

async function outcome(url: string, more?: Partial<DirectoryOptions>): Promise<string> {
  const { lookUp, lines } = directoriesAt(url, more)
  const found = await lookUp()
  if (lines.length === 0) return found.roles.toSorted().join()
  expect(found).toEqual(nothing)
  const { err: _, ...told } = lines[0]!
  expect(told).toMatchObject({ directory: 'main', account: 'account-1' })
  expect(JSON.stringify(told)).not.toMatch(/ada|wrong|uid=|manager/)
  return String(lines[0]!.message)
}

function drip(socket: Socket): void {
  const more = setInterval(() => socket.write('0'), 20)
  socket.once('close', () => clearInterval(more))
}

interface BadServer {
  url: string
  server: Server
  open: Set<Socket>
  connections(): number
}

/** A TCP server that does with connections what it is told. */
async function badServer(then: (socket: Socket) => void): Promise<BadServer> {
  const open = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    open.add(socket)
    connections++
    socket
      .on('error', () => undefined)
      .on('close', () => open.delete(socket))
      .resume()
    then(socket)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    open,
    connections: () => connections,
  }
}

const stop = ({ server, open }: BadServer) => {
  for (const socket of open) socket.destroy()
  server.close()
}

describe('a directory gives nothing, says why, and keeps nobody waiting,', () => {
  test('when it is down', async () => {
    expect(await outcome(`ldap://127.0.0.1:${await freePort()}`)).toMatch('ECONNREFUSED')
    expect(await outcome('ldap://directory.invalid', { timeoutMs: 3_000 })).toMatch(/ENOTFOUND|EAI_AGAIN|too long/)
  })

  test.each([
    ['never answers', () => undefined],
    ['answers a byte now and then', drip],
  ])('when it %s', async (_, then) => {
    const bad = await badServer(then)
    try {
      for (const more of [{}, { ca: cert }, { bindDn: 'cn=x', bindPassword: secret('y') }]) {
        const begun = performance.now()
        expect(await outcome(bad.url, more)).toMatch('too long')
        expect(performance.now() - begun).toBeLessThan(1_000)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(bad.open.size).toBe(0)
    } finally {
      stop(bad)
    }
  })

  test.each([
    ['hangs up', (socket: Socket) => void socket.once('data', () => socket.end()), /broke off/],
    ['talks nonsense', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /broke off|too long/],
    [
      'answers without end',
      (socket: Socket) => {
        socket.write(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]))
        const more = setInterval(() => socket.write(Buffer.alloc(65_536)), 1)
        socket.once('close', () => clearInterval(more))
      },
      /the answer is too long/,
    ],
  ])('when it %s', async (_, then, reason) => {
    const bad = await badServer(then)
    try {
      expect(await outcome(bad.url)).toMatch(reason)
    } finally {
      stop(bad)
    }
  })

  test('when it is slower than its time allows, and not when it is merely slow', async () => {
    const proxy = await startProxy(tree.port)
    try {
      proxy.delay(0, 50)
      expect(await outcome(`ldap://127.0.0.1:${proxy.port}`)).toBe('admin,engineer')
      proxy.delay(0, 400)
      expect(await outcome(`ldap://127.0.0.1:${proxy.port}`)).toMatch('too long')
    } finally {
      await proxy.stop()
    }
  })

  test('when it does not let us in', async () => {
    const { dn, password } = tree.manager
    expect(await outcome(tree.url, { bindDn: dn, bindPassword: secret(password) })).toBe('admin,engineer')
    expect(await outcome(tree.url, { bindDn: dn, bindPassword: secret('wrong') })).toMatch(
      'InvalidCredentialsError (49)',
    )
    expect(await outcome(tree.url, { base: 'ou=nowhere,dc=example,dc=org' })).toMatch('NoSuchObjectError (32)')
  })

  test('while others give what they have', async () => {
    const log = keepingLog()
    const [one, two] = [`ldap://127.0.0.1:${await freePort()}`, tree.url].map((url, n) =>
      directoryAt(url, { id: `${n}` }),
    )
    const found = await createDirectories({ directories: [one!, two!], log }).lookUp(who({ loginName: 'ada' }))
    expect([found.roles.toSorted(), log.lines.length]).toEqual([['admin', 'engineer'], 1])
  })
})

describe('TLS', () => {
  test('is what a directory is asked over whose authority is named', async () => {
    for (const url of [tree.url, tree.secureUrl!, tree.secureUrl!.replace('127.0.0.1', 'localhost')])
      expect(await outcome(url, { ca: cert })).toBe('admin,engineer')
    const plain = await plantTree({ config: ['security tls=1'], tls: { cert, key } })
    try {
      expect(await outcome(plain.url)).toMatch('ConfidentialityRequiredError')
      expect(await outcome(plain.url, { ca: cert })).toBe('admin,engineer')
    } finally {
      await plain.stop()
    }
  })

  test('has to prove who the directory is', async () => {
    for (const url of [tree.url, tree.secureUrl!]) {
      expect(await outcome(url, { ca: another.cert })).toMatch(/SELF_SIGNED|UNABLE_TO/)
    }
    expect(await outcome(tree.secureUrl!)).toMatch(/SELF_SIGNED|UNABLE_TO/)
    expect(await outcome(tree.secureUrl!.replace('127.0.0.1', '127.0.0.2'), { ca: cert })).toMatch(
      /ECONNREFUSED|ALTNAME/,
    )
  })

  test('is not done without where a directory does not offer it', async () => {
    const plain = await plantTree()
    try {
      expect(await outcome(plain.url, { ca: cert })).toMatch(/ProtocolError|Unavailable|Unwilling|TLSNotSupported/)
    } finally {
      await plain.stop()
    }
  })
})

describe('a directory that was down', () => {
  test('costs nobody anything for a while, and is asked again when that has passed', async () => {
    let timeMs = 0
    const bad = await badServer(() => undefined)
    const { lookUp, stats, lines } = directoriesAt(bad.url, { timeoutMs: 50 }, () => timeMs)
    try {
      for (let n = 0; n < 5; n++) await lookUp()
      const begun = performance.now()
      for (let n = 0; n < 20; n++) expect(await lookUp()).toEqual(nothing)
      expect(performance.now() - begun).toBeLessThan(500)
      expect(stats()).toEqual([{ id: 'main', lookUps: 25, failures: 25, isWell: false }])
      expect(lines.length).toBeLessThan(25)
      timeMs += 15_000
      const again = bad.connections()
      await lookUp()
      expect(bad.connections()).toBe(again + 1)
    } finally {
      stop(bad)
    }
  })

  test('is not one that answers, whatever it answers', async () => {
    const { lookUp, stats } = directoriesAt(tree.url, { base: 'ou=nowhere,dc=example,dc=org' })
    for (let n = 0; n < 20; n++) await lookUp()
    expect(stats()).toEqual([{ id: 'main', lookUps: 20, failures: 20, isWell: true }])
  })
})

test('many may be looked up at once, on so many connections at most', async () => {
  const proxy = await startProxy(tree.port)
  try {
    const { lookUp } = directoriesAt(`ldap://127.0.0.1:${proxy.port}`, { timeoutMs: 5_000 })
    const all = await Promise.all(Array.from({ length: 200 }, lookUp))
    expect(all.every(({ roles }) => roles.length === 2)).toBe(true)
  } finally {
    await proxy.stop()
  }
  const bad = await badServer(() => undefined)
  try {
    const { lookUp, lines } = directoriesAt(bad.url)
    const begun = performance.now()
    await Promise.all(Array.from({ length: 200 }, lookUp))
    expect(performance.now() - begun).toBeLessThan(900)
    // Where one's time is over, the next may have a moment left.
    expect(bad.connections()).toBeLessThan(2 * limits.connections)
    expect(lines[0]!.message).toMatch('too long')
  } finally {
    stop(bad)
  }
})

test('a connection that is lost is not made anew, as nobody and in the clear', async () => {
  const bad = await badServer((socket) => void setTimeout(() => socket.end(), 20))
  try {
    const asked = converse({ url: bad.url }, AbortSignal.timeout(1_000), async (client) => {
      await client.search('', { filter: '(uid=ada)' }).catch(() => undefined)
      return client.search('', { filter: '(uid=ada)' })
    })
    await expect(asked).rejects.toThrow('the connection was lost')
    expect(bad.connections()).toBe(1)
  } finally {
    stop(bad)
  }
})

test('a name without a password is refused before anybody is asked', () => {
  for (const bindPassword of [undefined, secret('')]) {
    const directories = [directoryAt(tree.url, { bindDn: 'cn=x', bindPassword })]
    expect(() => createDirectories({ directories, log: keepingLog() })).toThrow(/no password/)
  }
})
