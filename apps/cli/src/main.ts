import { exitCodes, type ExitCode } from './exit-code.ts'
import { createProgram } from './program.ts'
import { report } from './report.ts'
import type { Surroundings } from './surroundings.ts'

const { stdin, stdout, stderr, env, argv } = process
const surroundings: Surroundings = { stdin, stdout, stderr, env, cwd: process.cwd() }

// Whoever reads us has seen enough, as with `| head`.
for (const stream of [stdout, stderr]) {
  stream.on('error', ({ code }: NodeJS.ErrnoException) =>
    process.exit(code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
  )
}

/** Ends once everything is written; connections that are still being closed are not waited for. */
const end = (code: ExitCode): void => void stdout.write('', () => process.exit(code))

try {
  // `serve` gives no code: it goes on until it is told to stop.
  await createProgram(surroundings, end).parseAsync(argv)
} catch (thrown) {
  end(await report(thrown, { json: argv.includes('--json'), stderr }))
}
