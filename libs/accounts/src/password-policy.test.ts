import { beforeAll, describe, expect, test } from '@jest/globals'
import { createPasswordPolicy, limits } from './index.ts'

const policy = createPasswordPolicy({
  leastCharacters: 10,
  refused: ['Plain-River-Candle-Fog', '  CORP x7!kq9 2024 ', 'short'],
})
const ada = { loginName: 'ada.l', name: 'Ada Lovelace', email: 'countess@example.org' }
const mistake = (password: string, owner = {}) => policy.mistake(password, owner)
beforeAll(() => mistake('something to load it'), 60_000)

describe('a new password', () => {
  test.each([
    'Tr0ub4dor&3',
    'tr0ub4dour!1',
    'passwordpassword1',
    'qwertyuiop12',
    'P@ssw0rd1234',
    'Summer2024!',
    'Sommer2024!',
    'Welcome2024!!',
    'Hildegard1987',
    '3lizabeth_1985',
    'Countersign1',
    'abcdefghijkl',
    '1q2w3e4r5t6y',
    '0987654321',
    '19840412 1984',
    'aaaaaaaaaaaaaaaaaaaa',
    'monkey-donkey',
    'drowssapdrowssap',
    '💐'.repeat(10),
    'x'.repeat(limits.passwordMostCharacters),
  ])('that is as common as %s is refused', async (password) => {
    expect(await mistake(password)).toBe('too_common')
  })

  test.each([
    'correct horse battery staple',
    'correcthorsebatterystaple',
    'plainrivercandleotter',
    'ottersplashbench',
    'rot blau grün gelb',
    'der Hund schläft',
    'k9#fQz!2mL',
    'kzqmvnxrtp',
    'V7q-kelo-92hz',
    'Tr0ub4dor&3 sings at dawn',
  ])('that is as good as %s is taken', async (password) => {
    expect(await mistake(password)).toBeUndefined()
  })

  test('is refused when it is short or long, counted in characters', async () => {
    expect(await mistake('k9#fQz!2m')).toBe('too_short')
    expect(await mistake('')).toBe('too_short')
    // Ten code points, of which NFC makes nine.
    expect(await mistake('k9#fQz!2e\u0301')).toBe('too_short')
    expect(await mistake('💐🌵🎈🚲🧊🪁🧭🪐🧶')).toBe('too_short')
    expect(await mistake('k9#fQz!2mL'.repeat(26))).toBe('too_long')
    const longer = createPasswordPolicy({ leastCharacters: 15, refused: [] })
    expect(await longer.mistake('k9#fQz!2mLpX4', {})).toBe('too_short')
    expect(longer.leastCharacters).toBe(15)
  })

  test.each(['plain-river-candle-fog', 'PLAIN-RIVER-CANDLE-FOG', 'ｐlain-river-candle-fog', 'corp X7!KQ9 2024'])(
    'is refused when the list has it, however it is written: %s',
    async (password) => {
      expect(await mistake(password)).toBe('too_common')
      expect(await createPasswordPolicy({ leastCharacters: 10, refused: [] }).mistake(password, {})).toBeUndefined()
    },
  )

  test.each([
    'Ada Lovelace',
    'adalovelace1815',
    'Lovelace!!',
    'countess@example.org',
    'COUNTESS2024',
    'ada.lada.l',
    'example.org',
    'xLovelace-Adax',
  ])('is refused when it is mostly what its owner is called: %s', async (password) => {
    expect(await mistake(password, ada)).toBe('is_own_name')
  })

  test('may have a name in it among better things', async () => {
    expect(await mistake('ada otter splash bench', ada)).toBeUndefined()
    // A name of one or two letters is in everything.
    expect(await mistake('k9#fQz!2mL', { loginName: 'k9', name: 'Q Z' })).toBeUndefined()
  })

  test('is no better for a name in it', async () => {
    expect(await mistake('Xqvbnzt20012002', { loginName: 'xqvbnzt' })).toBe('too_common')
    expect(await mistake('Xqvbnzt20012002')).toBeUndefined()
  })

  test('is estimated in bounded time, whatever it is', async () => {
    const least = async (password: string): Promise<number> => {
      let least = Infinity
      for (let time = 0; time < 5; time++) {
        const { user, system } = process.cpuUsage()
        await mistake(password, { loginName: 'x'.repeat(254), name: 'ab '.repeat(80), email: 'c.d.e@'.repeat(40) })
        const after = process.cpuUsage()
        least = Math.min(least, (after.user + after.system - user - system) / 1_000)
      }
      return least
    }
    const parts = [
      '89341220291728079825439588',
      '@$14310!|7+5',
      'p@ssw0rd',
      'qwertyuiop',
      'aA1!',
      '{}(010[0!3!!76<[!]163}+',
    ]
    for (const part of parts) expect(await least(part.repeat(256).slice(0, 256))).toBeLessThan(50)
  }, 60_000)

  test('is looked up in a list of bounded length', () => {
    const refused = (count: number) => Array.from({ length: count }, (_, n) => `password-${n}`)
    const tooMany = () => createPasswordPolicy({ leastCharacters: 1, refused: refused(limits.refusedPasswords + 1) })
    expect(tooMany).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})
