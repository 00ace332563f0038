import { describe, expect, test } from '@jest/globals'
import { setting, turn } from './testing/setting.ts'

function watching() {
  const made = setting()
  made.upstream.stream.prove()
  return made
}

const attributes = [
  { name: 'department', values: ['physics', 'library'] },
  { name: '__proto__', values: ['x'] },
]

describe('roles and attributes', () => {
  test('are told with a token, and nobody can change them', async () => {
    const { verifier, issue } = watching()
    const verification = await verifier.verify(issue('ann', { roles: ['editor', 'owner'], attributes }))
    const token = verification.ok ? verification.token : undefined
    expect(token!.roles).toEqual(['editor', 'owner'])
    expect(Object.entries(token!.attributes)).toEqual([
      ['department', ['physics', 'library']],
      ['__proto__', ['x']],
    ])
    expect(() => (token!.attributes['department'] as string[]).push('law')).toThrow(TypeError)
    expect(() => Object.assign(token!.attributes, { law: [] })).toThrow(TypeError)
  })

  test('have no name that nobody gave', async () => {
    const { verifier, issue } = watching()
    for (const given of [[], attributes.slice(0, 1)]) {
      const verification = await verifier.verify(issue(`ann${given.length}`, { attributes: given }))
      const token = verification.ok ? verification.token : undefined
      for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
        expect(token!.attributes[name]).toBeUndefined()
      }
    }
  })

  test('are there once for all who have the same', async () => {
    const { verifier, issue } = watching()
    const tokenOf = async (name: string) => {
      const verification = await verifier.verify(
        issue(name, { roles: ['editor'], attributes: structuredClone(attributes) }),
      )
      return verification.ok ? verification.token : undefined
    }
    const [ann, ben] = [await tokenOf('ann'), await tokenOf('ben')]
    expect(ann).not.toBe(ben)
    expect(ann!.roles).toBe(ben!.roles)
    expect(ann!.attributes).toBe(ben!.attributes)
  })

  test('count for what they take where they are long', async () => {
    const bytesWith = async (claims: Parameters<ReturnType<typeof watching>['issue']>[1]) => {
      const { verifier, issue } = watching()
      await verifier.verify(issue('ann', claims))
      return verifier.stats().bytes
    }
    const usual = await bytesWith({})
    const roles = Array.from({ length: 200 }, (_, n) => `${n}`.padStart(80, 'x'))
    expect(await bytesWith({ roles })).toBeGreaterThan(usual + 200 * 80)
    expect(await bytesWith({ attributes: [{ name: 'groups', values: roles }] })).toBeGreaterThan(usual + 200 * 80)
  })
})

describe('a change of roles', () => {
  const roles = async ({ verifier }: ReturnType<typeof watching>, token: string) => {
    const verification = await verifier.verify(token)
    return verification.ok ? verification.token.roles : 'not active'
  }

  test('holds from the moment that its fact is heard of, and the token stays good', async () => {
    const made = watching()
    const { issue, upstream, asked } = made
    const [ann, ben] = [issue('ann'), issue('ben')]
    expect(await Promise.all([roles(made, ann), roles(made, ben)])).toEqual([['editor'], ['editor']])
    issue('ann', { roles: ['reader'] })
    upstream.stream.push({ kind: 'subject', id: 'person-ann' })
    expect(await roles(made, ann)).toEqual(['reader'])
    expect(await made.verifier.verify(ann, { roles: ['editor'] })).toMatchObject({
      ok: false,
      error: 'insufficient_scope',
    })
    expect(await roles(made, ben)).toEqual(['editor'])
    expect(asked()).toEqual([[ann, ben], [ann]])
  })

  test('holds within the bound though nothing is heard of it', async () => {
    const made = watching()
    const { issue, upstream, clock } = made
    const ann = issue('ann')
    await roles(made, ann)
    issue('ann', { roles: [] })
    upstream.log.commit({ kind: 'subject', id: 'person-ann' })
    clock.advance(900)
    expect(await roles(made, ann)).toEqual(['editor'])
    clock.advance(100)
    expect(await roles(made, ann)).toEqual([])
    upstream.stream.prove()
    expect(await roles(made, ann)).toEqual([])
  })

  test('overtakes an answer that was on its way', async () => {
    const made = watching()
    const { issue, upstream } = made
    const ann = issue('ann')
    upstream.isAnswering = false
    const early = roles(made, ann)
    await turn()
    const old = [upstream.outcomeOf(ann)]
    issue('ann', { roles: ['reader'] })
    upstream.stream.push({ kind: 'subject', id: 'person-ann' })
    upstream.messages[0]!.answer(old)
    expect(await early).toEqual(['editor'])
    upstream.isAnswering = true
    expect(await roles(made, ann)).toEqual(['reader'])
  })
})
