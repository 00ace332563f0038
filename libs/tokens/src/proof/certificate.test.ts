import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { hash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerCertificate } from 'node:tls'
import { Failure } from '@countersign/contracts'
import { newCommitId } from '@countersign/store'
import { createMemoryStore } from '@countersign/store/memory'
import { authenticateClient, createClientAuthentication } from '../authenticate.ts'
import { buildClients } from '../build-clients.ts'
import { Secrets } from '../secret.ts'
import { certificateNames, certificateThumbprint } from './certificate.ts'
import { createClientKeys, type KeySource } from './client-keys.ts'
import { createReplayGuard } from './replay.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-certificate-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As TLS hands it over. @param alternatives lines of an openssl configuration, e.g. `DNS.1=x.internal` */
function certificateOf(subject: string, alternatives: string[]): PeerCertificate {
  const lines = ['[req]', 'distinguished_name=dn', 'x509_extensions=extensions', '[dn]', '[extensions]']
  const names = ['subjectAltName=@names', '[names]', ...alternatives]
  writeFileSync(join(folder, 'openssl.cnf'), [...lines, ...names, ''].join('\n'))
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem']
  const told = ['-config', 'openssl.cnf', '-utf8', '-subj', subject, '-out', 'certificate.pem', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...curve, ...told], { cwd: folder, stdio: 'pipe' })
  return new X509Certificate(readFileSync(join(folder, 'certificate.pem'))).toLegacyObject() as PeerCertificate
}

describe('a certificate', () => {
  test('has a thumbprint: base64url SHA-256 of its bytes', () => {
    const { raw } = certificateOf('/CN=x', ['DNS.1=x.internal'])
    expect(certificateThumbprint({ raw })).toBe(hash('sha256', raw, 'base64url'))
  })

  test('names its subject as RFC 4514 writes it', () => {
    const certificate = certificateOf('/C=DE/O=Ex, "Inc"/OU=b+L=c \\+ d/CN=ü\\+x', [
      'DNS.1=a.internal',
      'IP.1=127.0.0.1',
      'DNS.2=b',
    ])
    expect(certificateNames(certificate)).toEqual({
      subjectDn: 'CN=ü\\+x,OU=b+L=c \\+ d,O=Ex\\, \\"Inc\\",C=DE',
      sanDns: ['a.internal', 'b'],
    })
  })

  test('cannot pass a part of a name for another name', () => {
    const sly = [
      'URI.1=https://x/, DNS:mesh.internal, y',
      'DNS.1=odd, DNS:mesh.internal',
      'DNS.2=q", DNS:mesh.internal, "',
    ]
    const { subjectDn, sanDns } = certificateNames(certificateOf('/CN=x\nCN=mesh', [...sly, 'DNS.3=real.internal']))
    expect(sanDns).not.toContain('mesh.internal')
    expect(sanDns).toContain('real.internal')
    expect(subjectDn).toBe('CN=x\\0ACN=mesh')
  })
})

describe('a client with a certificate', () => {
  const refusal = { code: 'invalid_client', message: 'client authentication failed' }
  const failures: string[] = []
  let registered: PeerCertificate
  let other: PeerCertificate
  let asked: ReturnType<typeof createClientAuthentication>

  const peer = (presentedCertificate: PeerCertificate | undefined, isVouchedFor = false) => ({
    presentedCertificate,
    clientCertificate: isVouchedFor ? presentedCertificate : undefined,
  })
  const ask = async (id: string, certificates: ReturnType<typeof peer>, publicToo = false) =>
    authenticateClient(
      asked,
      {
        authorization: undefined,
        parseBasic: () => undefined,
        form: new Map([['client_id', id]]),
        address: '192.0.2.1',
        path: '/oauth2/token',
        peer: certificates,
      },
      publicToo,
    )

  beforeAll(() => {
    registered = certificateOf('/CN=self', ['DNS.1=mesh.internal'])
    other = certificateOf('/CN=other', ['DNS.1=other.internal'])
    const jwks = { keys: [{ kty: 'EC' }, { kty: 'EC', x5c: [registered.raw.toString('base64')] }] }
    const selfSigned = { authenticationMethod: 'self_signed_tls_client_auth' } as const
    const definitions = [
      { id: 'self', ...selfSigned, jwks },
      { id: 'remote', ...selfSigned, jwksUri: 'https://remote.example/jwks' },
      { id: 'down', ...selfSigned, jwksUri: 'https://down.example/jwks' },
      { id: 'mesh', authenticationMethod: 'tls_client_auth', tlsClientAuthSanDns: 'mesh.internal' } as const,
      { id: 'named', tlsClientAuthSubjectDn: 'CN=self' },
      { id: 'keyed', authenticationMethod: 'private_key_jwt', jwks, tlsClientAuthSanDns: 'mesh.internal' } as const,
      { id: 'web', public: true },
    ]
    const secrets = new Secrets()
    const clients = buildClients(definitions, [], secrets, { accessTokenMs: 1, refreshTokenMs: 1 })
    const remote = (url: string): KeySource => ({
      key: () => Promise.reject(new Error('not asked for')),
      keySet: async () => {
        if (url.includes('down')) throw new Failure('unavailable', 'down')
        return jwks
      },
    })
    const replay = createReplayGuard({
      store: createMemoryStore({ now: Date.now }),
      partitions: 1,
      commitId: newCommitId,
      now: Date.now,
    })
    const keysOf = createClientKeys(remote)
    const assertions = { keysOf, replay, issuer: 'https://id.example', audiences: [], now: Date.now }
    const throttle = { blockedSeconds: () => undefined, fail: (key: string) => void failures.push(key) }
    asked = createClientAuthentication(() => clients, secrets, throttle, { assertions })
  })

  test('that it made itself is known by what is registered, here or at its URL', async () => {
    expect(await ask('self', peer(registered))).toMatchObject({ id: 'self' })
    expect(await ask('remote', peer(registered))).toMatchObject({ id: 'remote' })
    for (const id of ['self', 'remote']) await expect(ask(id, peer(other))).rejects.toMatchObject(refusal)
  })

  test('that our authority gave it is known by its names, and another with those names is not', async () => {
    expect(await ask('mesh', peer(registered, true))).toMatchObject({ id: 'mesh' })
    expect(await ask('named', peer(registered, true))).toMatchObject({ id: 'named' })
    await expect(ask('mesh', peer(registered))).rejects.toMatchObject(refusal)
    await expect(ask('named', peer(registered))).rejects.toMatchObject(refusal)
    await expect(ask('mesh', peer(other, true))).rejects.toMatchObject(refusal)
  })

  test('is not taken for one that authenticates in another way, nor for an unknown one', async () => {
    for (const id of ['keyed', 'web', 'nobody']) {
      await expect(ask(id, peer(registered, true))).rejects.toMatchObject(refusal)
    }
    expect(await ask('web', peer(other), true)).toMatchObject({ id: 'web' })
  })

  test('is refused without it, and while its keys cannot be had; only what was presented and wrong is counted', async () => {
    failures.length = 0
    await expect(ask('self', peer(undefined))).rejects.toMatchObject(refusal)
    await expect(ask('down', peer(registered))).rejects.toMatchObject(refusal)
    expect(failures).toEqual([])
    await expect(ask('self', peer(other))).rejects.toMatchObject(refusal)
    expect(failures).toEqual(['192.0.2.1 self'])
  })
})
