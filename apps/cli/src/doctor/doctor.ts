import { styleText } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../config/read.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { limits } from '../limits.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'
import { configuration } from './configuration.ts'
import { fail, sentenceOf, type Check, type Finding, type Patient } from './finding.ts'

/** Each check's code, with the drivers that it needs. */
const checks: readonly (() => Promise<Check>)[] = [
  async () => configuration,
  async () => (await import('./master-key.ts')).masterKey,
  async () => (await import('./store.ts')).store,
  async () => (await import('./bus.ts')).bus,
  async () => (await import('./journal.ts')).journal,
  async () => (await import('./token-issuer.ts')).tokenIssuer,
  async () => (await import('./listeners.ts')).listeners,
  async () => (await import('./issuer.ts')).issuer,
  async () => (await import('./proxies.ts')).proxies,
  async () => (await import('./certificates.ts')).certificates,
]

/** `doctor`: every check at once, each with its deadline. Changes nothing. */
export async function doctor(options: { config?: string; json?: true }, surroundings: Surroundings): Promise<ExitCode> {
  const { stdout } = surroundings
  const { scrub } = await import('@countersign/chassis/log')
  const loaded = readConfig(options.config, surroundings)
  const found = await Promise.all(checks.map(async (load) => inspect(await load(), { loaded, now: Date.now })))
  const findings = found.flat().map(({ what, ...rest }) => ({ ...rest, what: scrub(what) }))
  const isWell = !findings.some(({ level }) => level === 'fail')
  if (options.json) stdout.write(`${printableJson({ ok: isWell, findings })}\n`)
  else stdout.write(findings.map((finding) => describe(finding, surroundings)).join(''))
  return isWell ? exitCodes.ok : exitCodes.failed
}

/** Runs one check; what it throws, and silence, is a finding too. */
async function inspect(check: Check, patient: Omit<Patient, 'signal'>): Promise<Finding[]> {
  const over = new AbortController()
  const timer = new AbortController()
  const patience = sleep(limits.checkMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${limits.checkMs / 1_000} s`)
  })
  try {
    return await Promise.race([check.run({ ...patient, signal: over.signal }), patience])
  } catch (thrown) {
    return [fail(check.name, sentenceOf(thrown), check.mend)]
  } finally {
    patience.catch(() => undefined)
    timer.abort()
    over.abort()
  }
}

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function describe({ check, level, what, mend }: Finding, { stdout }: Surroundings): string {
  const word = styleText(colours[level], level.padEnd(4), { stream: stdout })
  const line = `${word}  ${check.padEnd(13)}  ${printable(what)}\n`
  return mend === undefined
    ? line
    : `${line}${' '.repeat(21)}${styleText('dim', printable(mend), { stream: stdout })}\n`
}
