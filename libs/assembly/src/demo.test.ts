import { describe, expect, test } from '@jest/globals'
import { buildClients, Secrets } from '@countersign/tokens'
import { demoClients, demoResources, demoSecret, demoTranscript } from './demo.ts'
import { setupTokenFrom } from './keys.ts'

const issuer = 'http://localhost:8080'
const masterKey = Buffer.from('k'.repeat(48))
const other = Buffer.from('o'.repeat(48))

describe('what there is to try', () => {
  test('is told with the secrets that hold on this master key, and on no other', () => {
    const transcript = demoTranscript(issuer, masterKey)
    for (const id of ['batch', 'reports-api', 'operator']) {
      expect(transcript).toContain(`-u ${id}:${demoSecret(masterKey, id)} `)
      expect(transcript).not.toContain(demoSecret(other, id))
    }
    expect(transcript).toContain(`${issuer}/setup?token=${setupTokenFrom(masterKey)}\n`)
    expect(demoTranscript(issuer, masterKey)).toBe(transcript)
  })

  test('gives secrets to those that keep them, and none to the others', () => {
    const lifetimes = { accessTokenMs: 1_000, refreshTokenMs: 1_000 }
    const clients = [...buildClients(demoClients(masterKey), demoResources, new Secrets(), lifetimes).values()]
    const isOpen = (id: string) => clients.find((client) => client.id === id)?.public
    expect(clients.map(({ id, secrets }) => [id, secrets.length])).toEqual([
      ['batch', 1],
      ['reports-api', 1],
      ['operator', 1],
      ['web', 0],
      ['tv', 0],
    ])
    expect([isOpen('web'), isOpen('tv'), isOpen('batch')]).toEqual([true, true, false])
  })

  test('is nothing that may administer, or introspect everything', () => {
    for (const { admin, introspect } of demoClients(masterKey)) {
      expect(admin ?? false).toBe(false)
      expect(introspect ?? []).not.toContain('*')
    }
  })
})
