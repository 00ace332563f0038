import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Environment } from './environment.ts'
import { loadConfig, type LoadedConfig } from './load.ts'
import { ConfigError } from './problem.ts'

/** For tests: a folder of its own with a config file in it. */
export class ConfigFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'countersign-config-'))

  write(name: string, content: string | Uint8Array): string {
    const file = join(this.path, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    return file
  }

  load(yaml: string | Uint8Array, env: Environment = {}): LoadedConfig {
    this.write('countersign.yaml', yaml)
    return loadConfig({ file: 'countersign.yaml', env, cwd: this.path })
  }

  /** The lines of the error that loading gives; none when it loads. */
  problems(yaml: string | Uint8Array, env: Environment = {}): string[] {
    return linesOf(() => this.load(yaml, env))
  }

  /** The problems of a file whose second line this is, without its name. */
  second(line: string, rest = ''): string[] {
    return this.problems(`version: 1\n${line}\n${rest}`).map((problem) => problem.replace('countersign.yaml:', ''))
  }

  remove(): void {
    rmSync(this.path, { recursive: true })
  }
}

/** The lines of the ConfigError that `load` throws; none when it throws none. */
export function linesOf(load: () => unknown): string[] {
  try {
    load()
    return []
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.message.split('\n')
    throw thrown
  }
}
