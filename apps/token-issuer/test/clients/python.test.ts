import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { repositoryRoot, Visitor } from '@countersign/servers'
import { withOauth4webapi } from './oauth4webapi.ts'
import { answerOf } from './person.ts'
import { redirectUri, startSetting, type Setting, type StackName } from './setting.ts'

/** Debian's own, which has its packages. */
const python = '/usr/bin/python3'
const libraries = ['requests_oauthlib', 'authlib']
const stacks: readonly StackName[] = ['embedded', 'four processes']

/** Runs an example to its end. @param answer gives the line that it is told when it has printed a URL */
async function run(name: string, args: string[], secret = '', answer?: (url: URL) => Promise<string>) {
  const program = join(repositoryRoot, 'examples/python-oauth', `${name}.py`)
  const env = { PATH: '/usr/bin:/bin', OAUTHLIB_INSECURE_TRANSPORT: '1', COUNTERSIGN_CLIENT_SECRET: secret }
  const child = spawn(python, [program, ...args], { env })
  const exit = once(child, 'exit')
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const lines: string[] = []
  try {
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      if (answer && /^http/.test(line)) child.stdin.end(`${await answer(new URL(line))}\n`)
    }
    const [status] = await exit
    return { lines, errors, status }
  } finally {
    child.kill('SIGKILL')
  }
}

describe.each(stacks)('Python, %s', (stack) => {
  let setting: Setting
  beforeAll(async () => (setting = await startSetting(stack, '')), 120_000)
  afterAll(() => setting?.stop())

  const signIn = (library: string, changed: (answer: URL) => URL = (answer) => answer) => {
    const args = ['--issuer', setting.issuerUrl, '--client-id', 'phone', '--redirect-uri', redirectUri]
    return run(`sign_in_${library}`, args, '', async (url) => {
      const answer = (await answerOf(new Visitor(setting.issuerUrl), url)) as URL
      return changed(answer).href
    })
  }

  test.each(libraries)('%s signs a person in, refreshes and revokes', async (library) => {
    const { lines, errors, status } = await signIn(library)
    expect({ errors, status }).toEqual({ errors: '', status: 0 })
    expect(lines.slice(3).map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        signed_in: expect.objectContaining({ sub: expect.any(String), name: 'Alice Example' }),
        scope: 'openid profile offline_access',
      },
      { refreshed: true, rotated: true },
      { status_after_revocation: 401 },
    ])
  })

  test.each(libraries)('%s does not take the answer to another request', async (library) => {
    const { errors, status } = await signIn(library, (answer) => {
      answer.searchParams.set('state', 'another')
      return answer
    })
    expect(status).toBe(1)
    expect(errors).toMatch(/mismatching_?state/i)
  })

  describe('an API', () => {
    let api: Server
    let url: string
    beforeAll(async () => {
      const { issuerUrl, credentials } = setting
      const own = { issuerUrl, clientId: 'reports-api', credentials: credentials['reports-api'] }
      const caller = await withOauth4webapi(own)
      api = createServer(async (incoming, outgoing) => {
        const { active, client_id: client } = await caller.introspect(
          incoming.headers.authorization?.slice('Bearer '.length) ?? '',
        )
        outgoing.writeHead(active === true ? 200 : 401).end(`for ${String(client)}`)
      })
      await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
      url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/reports`
    })
    afterAll(() => void api?.close())

    test.each(libraries)('is called with a token that %s got for the program itself', async (library) => {
      const args = ['--issuer', setting.issuerUrl, '--client-id', 'batch', url]
      const { lines, errors, status } = await run(`machine_${library}`, args, setting.credentials.batch.secret)
      expect({ lines, errors, status }).toEqual({ lines: ['200 for batch'], errors: '', status: 0 })
    })

    test.each(libraries)('is not called where %s is refused a token', async (library) => {
      const args = ['--issuer', setting.issuerUrl, '--client-id', 'batch', url]
      const { lines, errors, status } = await run(`machine_${library}`, args, 'wrong')
      expect({ lines, status }).toEqual({ lines: [], status: 1 })
      expect(errors).toContain('invalid_client')
    })
  })
})
