import type { Writable } from 'node:stream'
import { CommanderError } from 'commander'
import { exitCodeOf, exitCodes, type ExitCode } from './exit-code.ts'
import { printableJson, printableLines } from './text.ts'

/** How deep causes are told. */
const maxCauses = 3

/** Tells on standard error what was thrown, without secrets and without a stack. Gives the exit code. */
export async function report(thrown: unknown, to: { json: boolean; stderr: Writable }): Promise<ExitCode> {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return exitCodes.ok
    // Commander has shown the help instead.
    if (thrown.code !== 'commander.help') await tell('invalid_request', mistakeOf(thrown), to)
    return exitCodes.mistake
  }
  const isConfigError = thrown instanceof Error && thrown.name === 'ConfigError'
  // Each line of it begins with its place.
  await tell(codeOf(thrown), messageOf(thrown), to, isConfigError ? '' : undefined)
  return exitCodeOf(thrown)
}

async function tell(code: string, message: string, to: { json: boolean; stderr: Writable }, prefix = 'countersign: ') {
  const { scrub } = await import('@countersign/chassis/log')
  const clean = scrub(message)
  const document = () => printableJson({ error: { code, message: clean } }, 0)
  to.stderr.write(`${to.json ? document() : prefix + printableLines(clean)}\n`)
}

/** An option's value may be a secret, mistyped. */
const mistakeOf = ({ message }: CommanderError): string =>
  message.replace(/^error: /, '').replace(/'(--?[\w-]+)=[^']*'/, "'$1'")

function codeOf(thrown: unknown): string {
  const { name, code } = thrown as { name?: unknown; code?: unknown }
  if (name === 'Failure') return String(code)
  return name === 'ConfigError' ? 'invalid_request' : 'internal'
}

function messageOf(thrown: unknown): string {
  const messages: string[] = []
  let next = thrown
  for (let depth = 0; depth < maxCauses && next !== undefined; depth++) {
    const message = next instanceof Error ? next.message : String(next)
    if (!messages.includes(message)) messages.push(message)
    next = next instanceof Error ? next.cause : undefined
  }
  return messages.join(': ')
}
