import { afterAll, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'
import { reloadable } from './reload.ts'
import { configSchema } from './schema.ts'
import { nodeAt } from './schema-tree.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())
folder.write('x.pem', 'PEM')

const load = (rest: string) => folder.load(`version: 1\n${rest}`).config
const between = (before: string, after: string) => reloadable(load(before), load(after))

test('nothing changed is nothing to do', () => {
  const yaml = 'clients: [{ id: a, secret: s }]\nresources: [{ id: r, audience: "urn:r" }]'
  expect(between(yaml, yaml)).toEqual({ applied: [], restart: [] })
})

test.each([
  ['clients: [{ id: a, secret: s }]', 'clients: [{ id: a, secret: t }]', 'clients'],
  ['clients: [{ id: a, secret: s }]', 'clients: [{ id: a, secret: s, previous_secret: t }]', 'clients'],
  ['clients: [{ id: a, secret: s }]', '', 'clients'],
  ['', 'resources: [{ id: r, audience: "urn:r" }]', 'resources'],
  ['', 'lifetimes: { access_token: 6m }', 'lifetimes.access_token'],
  ['', 'lifetimes: { refresh_token: 6d }', 'lifetimes.refresh_token'],
  ['', 'log: { level: debug }', 'log.level'],
  ['clients: [{ id: a, public: true }]', 'clients: [{ id: a, public: true, require_dpop: true }]', 'clients'],
  [
    'clients: [{ id: a, secret: s, subject_type: pairwise, sector_identifier: a.example }]',
    'clients: [{ id: a, secret: s, subject_type: pairwise, sector_identifier: b.example }]',
    'clients',
  ],
  [
    'registration: { initial_access_tokens: [0123456789abcdefx] }',
    'registration: { initial_access_tokens: [0123456789abcdefy] }',
    'registration',
  ],
])('from %j to %j can be taken over', (before, after, key) => {
  expect(between(before, after)).toEqual({ applied: [key], restart: [] })
})

test.each([
  ['', 'issuer: https://a.example', 'issuer'],
  ['', 'store: { wait_replicas: 1 }', 'store.wait_replicas'],
  ['', 'store: { command_timeout: 3s }', 'store.command_timeout'],
  ['', 'audit: { max_backlog: 2000 }', 'audit.max_backlog'],
  ['', 'listen: { http: "127.0.0.1:8081" }', 'listen.http'],
  ['', 'max_staleness: 2s', 'max_staleness'],
  ['', 'cache: { entries: 0 }', 'cache.entries'],
  ['', 'store: { url: "rediss://h", tls: { ca: x.pem } }', 'store.url store.tls'],
  [
    'previous_master_key: 01234567890123456789012345678901x',
    'previous_master_key: 01234567890123456789012345678901y',
    'previous_master_key',
  ],
  ['master_key: 01234567890123456789012345678901x', 'master_key: { file: k }', 'master_key'],
  ['master_key: { file: j }', 'master_key: { file: k }', 'master_key.file'],
  ['', 'keys: { rotate_every: 30d }', 'keys.rotate_every'],
  [
    '',
    'authorization: { request_objects: signed, dpop_nonces: true }',
    'authorization.request_objects authorization.dpop_nonces',
  ],
  ['', 'lifetimes: { device_code: 5m, id_token: 7m }', 'lifetimes.device_code lifetimes.id_token'],
  ['', 'throttle: { registrations_per_minute: 0 }', 'throttle.registrations_per_minute'],
  ['', 'trusted_proxies: [loopback]', 'trusted_proxies'],
  ['', 'services: { token_issuer: { target: "localhost:50052" } }', 'services.token_issuer'],
  ['', 'http: { cert: x.pem, key: x.pem, self_signed_clients: true }', 'http.cert http.key http.self_signed_clients'],
  ['', 'providers: [{ id: staff, kind: local }]', 'providers'],
  ['', 'roles: [{ grant: [a], when: { roles: [b] } }]', 'roles'],
  [
    'mail: { url: smtps://h, from: a@b.example, username: a, password: s }',
    'mail: { url: smtps://h, from: a@b.example, username: a, password: t, timeout: 9s }',
    'mail.password mail.timeout',
  ],
  [
    '',
    'pages: { accent_dark: "#ffffff" }\npasswords: { least_characters: 12 }',
    'pages.accent_dark passwords.least_characters',
  ],
  ['', 'grpc: { cert: x.pem, key: x.pem, client_ca: x.pem }', 'grpc.cert grpc.key grpc.client_ca'],
])('from %j to %j needs a restart', (before, after, keys) => {
  const { applied, restart } = between(before, after)
  expect(applied).toEqual([])
  expect([...restart].sort()).toEqual(keys.split(' ').sort())
})

test('every key is named as the file has it', () => {
  const everything = reloadable({} as never, load('grpc: { cert: x.pem, key: x.pem, client_ca: x.pem }'))
  const names = [...everything.applied, ...everything.restart]
  for (const name of names) expect(nodeAt(configSchema(), name.split('.'))).toBeDefined()
  expect(names.length).toBeGreaterThan(20)
})
