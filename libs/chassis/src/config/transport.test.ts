import { afterAll, describe, expect, test } from '@jest/globals'
import { ConfigFolder } from './config-folder.ts'

const folder = new ConfigFolder()
afterAll(() => folder.remove())
folder.write('x.pem', 'PEM')

const tls = 'tls: { ca: x.pem }'
const outside = 'is plaintext outside loopback'
const out = 'or set allow_plaintext: true'

describe('what is refused because anybody could read it', () => {
  test.each([
    ['store: { url: "redis://h" }', `store.url: redis:// to h ${outside}; use rediss://, ${out}`],
    [
      'store: { url: "redis://127.0.0.1.example" }',
      `store.url: redis:// to 127.0.0.1.example ${outside}; use rediss://, ${out}`,
    ],
    ['store: { url: "redis://:hunter2@h:6379/0" }', `store.url: redis:// to h ${outside}; use rediss://, ${out}`],
    ['store: { url: "redis://localhost@h" }', `store.url: redis:// to h ${outside}; use rediss://, ${out}`],
    [
      'store: { url: "redis+sentinel://127.0.0.1:1,h:2/main" }',
      `store.url: redis+sentinel:// to h ${outside}; use rediss+sentinel://, ${out}`,
    ],
    [
      'store: { url: "redis+cluster://[fd00::1]:1" }',
      `store.url: redis+cluster:// to fd00::1 ${outside}; use rediss+cluster://, ${out}`,
    ],
    ['bus: { url: "nats://u:p@h,u:p@localhost" }', `bus.url: nats:// to h ${outside}; use tls://, ${out}`],
    ['bus: { url: "nats://localhost,nats://h" }', `bus.url: nats:// to h ${outside}; use tls://, ${out}`],
    ['bus: { url: "nats://h:4222" }', `bus.url: nats:// to h ${outside}; use tls://, ${out}`],
    [
      'audit: { url: "postgres://h/db" }',
      `audit.url: postgres:// to h ${outside}; add ?sslmode=verify-full or set audit.tls, ${out}`,
    ],
    [
      'audit: { url: "postgresql://h/db?sslmode=prefer" }',
      `audit.url: postgresql:// to h ${outside}; add ?sslmode=verify-full or set audit.tls, ${out}`,
    ],
    [
      'audit: { url: "postgres://localhost/db?host=h" }',
      `audit.url: postgres:// to h ${outside}; add ?sslmode=verify-full or set audit.tls, ${out}`,
    ],
    [
      `audit: { url: "postgres://h/db?sslmode=disable", ${tls} }`,
      `audit.url: postgres:// to h ${outside}; add ?sslmode=verify-full or set audit.tls, ${out}`,
    ],
    [
      'audit: { url: "postgres://h/db?sslmode=require&sslmode=disable" }',
      `audit.url: postgres:// to h ${outside}; add ?sslmode=verify-full or set audit.tls, ${out}`,
    ],
    [
      'listen: { grpc: "0.0.0.0:50051" }',
      `listen.grpc: gRPC on 0.0.0.0 ${outside}; set grpc.cert and grpc.key, ${out}`,
    ],
    ['listen: { grpc: "[::]:50051" }', `listen.grpc: gRPC on :: ${outside}; set grpc.cert and grpc.key, ${out}`],
    ['issuer: http://auth.example', `issuer: http://auth.example ${outside}; use https://, ${out}`],
    ['issuer: http://localhost.example', `issuer: http://localhost.example ${outside}; use https://, ${out}`],
    [
      'clients: [{ id: a, public: true, redirect_uris: ["http://a.example/"] }]',
      `clients[0].redirect_uris[0]: http://a.example ${outside}; use https://, ${out}`,
    ],
    [
      'clients: [{ id: a, public: true, post_logout_redirect_uris: ["http://a.example/"] }]',
      `clients[0].post_logout_redirect_uris[0]: http://a.example ${outside}; use https://, ${out}`,
    ],
    ...['uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri', 'backchannel_logout_uri'].map((key) => [
      `clients: [{ id: a, public: true, ${key}: "http://a.example/x" }]`,
      `clients[0].${key}: http://a.example ${outside}; use https://, ${out}`,
    ]),
    [
      'services: { token_issuer: { target: "issuer:50051" } }',
      `services.token_issuer.target: gRPC to issuer ${outside}; set services.token_issuer.tls, ${out}`,
    ],
    [
      'services: { token_issuer: { target: "[fd00::1]:50051" } }',
      `services.token_issuer.target: gRPC to fd00::1 ${outside}; set services.token_issuer.tls, ${out}`,
    ],
    [
      'providers: [{ id: p, kind: oidc, client_id: x, issuer: "http://p.example" }]',
      `providers[0].issuer: http://p.example ${outside}; use https://, ${out}`,
    ],
    [
      'providers: [{ id: p, kind: github, client_id: x, url: "http://p.example" }]',
      `providers[0].url: http://p.example ${outside}; use https://, ${out}`,
    ],
  ])('%s', (yaml, line) => {
    expect(folder.second(yaml).map((text) => text.replace(/^\d+:\d+: /, ''))).toEqual([line])
    expect(folder.second(yaml, 'allow_plaintext: true')).toEqual([])
  })
})

describe('what is taken', () => {
  test.each([
    ['store: { url: "rediss://h" }'],
    ['store: { url: "redis://127.0.0.1:6379" }'],
    ['store: { url: "redis://[::1]:6379/2" }'],
    ['store: { url: "redis+sentinel://localhost:1,127.9.9.9:2/main" }'],
    [`store: { url: "rediss+sentinel://u:p@a:1,b:2/main/1?sentinel_password=p", ${tls} }`],
    ['store: { url: "rediss+cluster://a:1,b:2", tls: {} }'],
    [`bus: { url: "nats://h", ${tls} }`],
    ['bus: { url: "nats://a:4222,tls://b:4222" }'],
    ['bus: { url: "nats://u:p@localhost,nats://u:p@127.0.0.1:4223/" }'],
    ['bus: { url: "tls://h:4222" }'],
    ['bus: { url: "nats://redis.localhost" }'],
    ['audit: { url: "postgres://u:p@h/db?sslmode=verify-full" }'],
    ['audit: { url: "postgres://h/db?sslmode=require" }'],
    [`audit: { url: "postgres://h/db", ${tls} }`],
    ['audit: { url: "postgres:///db?host=/run/postgresql" }'],
    ['listen: { grpc: "0.0.0.0:50051" }\ngrpc: { cert: x.pem, key: x.pem, client_ca: x.pem }'],
    ['listen: { http: "0.0.0.0:8080", management: "0.0.0.0:9464" }'],
    ['issuer: https://auth.example'],
    ['services: { token_issuer: { target: "localhost:50051" } }'],
    [`services: { token_issuer: { target: "issuer:50051", ${tls} } }`],
    ['services: { token_issuer: { target: "issuer:50051", tls: {} } }'],
    ['http: { cert: x.pem, key: x.pem, client_ca: x.pem, self_signed_clients: true }'],
    ['clients: [{ id: a, jwks_uri: "http://127.0.0.1:3000/jwks", backchannel_logout_uri: "http://[::1]:3000/out" }]'],
    ['issuer: http://127.0.0.1:8080/tenant'],
    ['directories: [{ id: d, url: "ldap://ldap.example:389", base: dc=x, filter: "(uid={login_name})" }]'],
    ['directories: [{ id: d, url: "ldaps://h", base: dc=x, filter: "(uid={login_name})", ca: x.pem }]'],
    ['mail: { url: "smtp://mail.example:587", from: login@a.example }'],
  ])('%s', (yaml) => {
    expect(folder.second(yaml)).toEqual([])
  })
})

describe('files for TLS', () => {
  test.each([
    ['grpc: { cert: x.pem }', '2:15: grpc.cert: needs key beside it'],
    ['http: { key: x.pem }', '2:14: http.key: needs cert beside it'],
    ['grpc: { client_ca: x.pem }', '2:20: grpc.client_ca: needs cert beside it'],
    ['audit: { tls: { cert: x.pem } }', '2:23: audit.tls.cert: needs key beside it'],
    ['http: { client_ca: x.pem }', '2:20: http.client_ca: needs cert beside it'],
    ['http: { self_signed_clients: true }', '2:30: http.self_signed_clients: needs cert beside it'],
    [
      'services: { token_issuer: { tls: { cert: x.pem } } }',
      '2:42: services.token_issuer.tls.cert: needs key beside it',
    ],
    [`store: { url: "redis://localhost", ${tls} }`, '2:41: store.tls: is not used with redis://; use rediss://'],
    [
      `store: { url: "redis+sentinel://localhost/m", ${tls} }`,
      '2:52: store.tls: is not used with redis+sentinel://; use rediss+sentinel://',
    ],
  ])('%s', (yaml, line) => {
    expect(folder.second(yaml)).toEqual([line])
  })
})
