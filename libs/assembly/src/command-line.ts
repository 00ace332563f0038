import { parseArgs } from 'node:util'

/** The arguments of a process that is started by hand: `--config FILE`. Prints usage and exits where they are others. */
export function commandLine(name: string): { config: string | undefined } {
  const usage = `usage: ${name} [--config FILE]   (or COUNTERSIGN_CONFIG)\n`
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    return { config: values.config }
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n${usage}`)
    process.exit(2)
  }
}
