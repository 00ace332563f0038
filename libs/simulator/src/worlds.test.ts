import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { faultKinds } from './faults.ts'
import type { Totals } from './figures.ts'
import { mutants } from './mutants.ts'
import type { WorldResult } from './world.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

function simulate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const timeoutMs = 300_000

describe('simulated worlds', () => {
  test(
    'never show a revoked token as active once B is over, and much happens in them',
    () => {
      const { status, stdout } = simulate('--seeds', '500', '--json')
      const { worlds, failed, figures, faults } = JSON.parse(stdout) as Totals
      expect(failed).toEqual([])
      expect(status).toBe(0)
      expect(worlds).toBe(500)
      const { hits, serviceHits, active, revocations, enforced, republished, rollbacks } = figures
      for (const [count, perWorld] of [
        [hits, 100],
        [serviceHits, 50],
        [active, 150],
        [revocations, 8],
        [enforced, 0.3],
        [republished, 3],
        [rollbacks, 0.2],
      ]) {
        expect(count).toBeGreaterThan(perWorld! * worlds)
      }
      for (const kind of faultKinds) expect(faults[kind]).toBeGreaterThan(worlds / 100)
    },
    timeoutMs,
  )

  test(
    'are the same whenever they are run again',
    () => {
      const runs = [1, 2].map(() => JSON.parse(simulate('--seed', '23', '--json').stdout) as WorldResult)
      expect(runs[0]).toEqual(runs[1])
      const other = JSON.parse(simulate('--seed', '24', '--json').stdout) as WorldResult
      expect(other.hash).not.toBe(runs[0]!.hash)
    },
    timeoutMs,
  )

  test(
    'tell what happens in them',
    () => {
      const { stdout, status } = simulate('--seed', '23', '--trace')
      expect(status).toBe(0)
      expect(stdout).toMatch(/revocation 0 .* is acknowledged/)
      expect(stdout).toMatch(/cache-1: token \d+ is active/)
    },
    timeoutMs,
  )

  test(
    'find out each rule of the protocol that is switched off',
    () => {
      const { status, stdout } = simulate('--mutant', 'all', '--seeds', '8000', '--json')
      const rows = JSON.parse(stdout) as { mutant: string; worlds: number | null }[]
      expect(rows.map(({ mutant }) => mutant)).toEqual(mutants.map(({ name }) => name))
      expect(rows.filter(({ worlds }) => worlds === null)).toEqual([])
      expect(status).toBe(0)
    },
    timeoutMs,
  )

  test('are not run for arguments that mean nothing', () => {
    expect(simulate('--seeds', 'many')).toMatchObject({ status: 2, stdout: '' })
    expect(simulate('--mutant', 'nobody')).toMatchObject({ status: 2, stdout: '' })
    expect(simulate('--help')).toMatchObject({ status: 0 })
  })
})
