import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findProgram, freePort, repositoryRoot, ServerProcess, temporaryFolder } from '@countersign/servers'
import { bearer, Gateway } from '../testing/gateway.ts'

let gateway: Gateway
let api: Server
let nginx: ServerProcess
let token: string

/** The block that the guide shows, between these. */
function configuration(folder: string, listen: number, apiPort: number): string {
  const guide = readFileSync(join(repositoryRoot, 'docs/forward-auth.md'), 'utf8')
  const block = /```nginx\n([\s\S]*?)```/
    .exec(guide)![1]!
    .replace('server {', `server { listen 127.0.0.1:${listen};`)
    .replace('127.0.0.1:3000', `127.0.0.1:${apiPort}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${gateway.port}`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  return `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events { worker_connections 64; }
http { access_log off; ${temporary.join(' ')}
${block}
}
`
}

beforeAll(async () => {
  gateway = await Gateway.open()
  token = await (await gateway.ann()).token()
  // An API that tells what came to it.
  api = createServer(({ url, method, headers }, response) => response.end(JSON.stringify({ url, method, headers })))
  await once(api.listen(0, '127.0.0.1'), 'listening')
  const [folder, port] = [temporaryFolder('nginx'), await freePort()]
  mkdirSync(join(folder, 'logs'))
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, port, (api.address() as AddressInfo).port))
  const program = findProgram('nginx', 'nginx-light')
  nginx = await new ServerProcess({ program, args: ['-p', folder, '-c', file], port, folder }).start()
})
afterAll(async () => {
  await nginx?.terminate()
  if (nginx) rmSync(nginx.folder, { recursive: true, force: true })
  api?.close()
  await gateway?.close()
})

/** Says exactly this, and tells what came back, and what came to the API. */
async function say(target: string, headers: Record<string, string> = {}, method = 'GET') {
  const socket = connect(nginx.port, '127.0.0.1')
  const lines = Object.entries({ Host: 'reports.example', Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  const reply = Buffer.concat(await socket.toArray()).toString('latin1')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(reply)?.[1])
  const json = /\{.*\}/s.exec(reply)?.[0]
  const passed =
    status === 200 ? (JSON.parse(json!) as { url: string; method: string; headers: Record<string, string> }) : undefined
  return { status, reply, passed }
}

describe('nginx, as the guide sets it up', () => {
  test('lets through what a rule allows, and tells the API who it is', async () => {
    const { passed } = await say('/read/x?y=1', bearer(token))
    expect(passed).toMatchObject({ url: '/read/x?y=1', method: 'GET' })
    expect(passed!.headers).toMatchObject({
      'x-auth-subject': 'ann',
      'x-auth-client': 'batch',
      'x-auth-scopes': 'read',
      'x-auth-roles': 'editor',
      'x-auth-attributes': 'unit=physics',
    })
  })

  test('refuses the rest as the guide says', async () => {
    const anonymous = await say('/read')
    expect(anonymous.status).toBe(401)
    expect(anonymous.reply).toMatch(/^www-authenticate: Bearer realm="countersign"\r$/im)
    expect((await say('/write', bearer(token))).status).toBe(403)
    expect((await say('/elsewhere', bearer(token))).status).toBe(403)
    expect((await say('/read', bearer(token), 'DELETE')).status).toBe(403)
    for (const target of ['/public/../edit', '/public/%2e%2e/edit', '/public//edit', '/public%2fedit', '/public;x']) {
      expect((await say(target)).status).toBe(500)
    }
  })

  test('replaces identity headers however a client sends them', async () => {
    const sent = {
      'X-Auth-Subject': 'root',
      'x-auth-ROLES': 'admin',
      X_Auth_Roles: 'admin',
      'X-Auth-Attributes': 'unit=law',
      Connection: 'close, X-Auth-Subject, X-Auth-Roles',
    }
    const known = await say('/read', { ...sent, ...bearer(token) })
    expect(known.passed!.headers).toMatchObject({ 'x-auth-subject': 'ann', 'x-auth-roles': 'editor' })
    const unknown = await say('/public', sent)
    const names = Object.keys(unknown.passed!.headers)
    expect(names.filter((name) => /auth/i.test(name))).toEqual([])
  })

  test('is not led astray by what a client says of the request', async () => {
    const told: Record<string, string>[] = [
      { 'X-Forwarded-Uri': '/public' },
      { 'X-Original-URI': '/public' },
      { 'X-Original-URL': 'https://reports.example/public' },
      { 'X-Forwarded-Host': 'public.example' },
      { 'X-Forwarded-Method': 'HEAD' },
      { Host: 'public.example' },
      {},
    ]
    for (const headers of told) {
      expect([401, 403]).toContain((await say('/edit', headers)).status)
    }
  })
})
