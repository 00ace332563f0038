import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findProgram } from '@countersign/servers'
import { limits } from './limits.ts'

export interface HttpLoad {
  url: string
  /** The `Authorization` header. */
  authorization: string
  /** The form that is posted; with `tokens`, each line of that file in turn is put at its end. */
  form: string
  tokens?: { file: string; use: 'once' | 'again' }
  connections: number
}

/** What a generator saw. */
export interface HttpFigures {
  requests: number
  seconds: number
  p50Ms: number
  p99Ms: number
  /** Of all answers, headers included. */
  bytes: number
  non2xx: number
  /** Connections refused or broken, and requests that timed out. */
  socketErrors: number
  /** There were fewer tokens than requests, though each was to be used once. */
  exhausted: boolean
}

const pathOf = (name: string) => fileURLToPath(new URL(`../generators/${name}`, import.meta.url))

export type HttpGenerator = 'wrk' | 'autocannon'

/** wrk when it is there, else autocannon, which takes more of the processor. */
export function httpGenerator(): HttpGenerator {
  try {
    findProgram('wrk', 'wrk')
    return 'wrk'
  } catch {
    return 'autocannon'
  }
}

function commandOf(generator: HttpGenerator, load: HttpLoad, seconds: number): [program: string, ...args: string[]] {
  const { url, authorization, form, tokens, connections } = load
  const asked = [authorization, form, ...(tokens ? [tokens.file, tokens.use] : [])]
  if (generator === 'autocannon') {
    return [process.execPath, pathOf('autocannon.mjs'), url, `${connections}`, `${seconds}`, ...asked]
  }
  const script = ['-s', pathOf('requests.lua'), url, '--', ...asked]
  return [findProgram('wrk', 'wrk'), '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', ...script]
}

/** Finds the line of figures in what a generator printed. @throws Error with the output when there is none. */
export function parseFigures(output: string): HttpFigures {
  const line = output.split('\n').findLast((candidate) => candidate.startsWith('{'))
  if (line === undefined) throw new Error(`the generator gave no figures:\n${output}`)
  const { durationUs, p50Us, p99Us, ...rest } = JSON.parse(line) as Record<string, number>
  const figures = { ...rest, seconds: durationUs! / 1e6, p50Ms: p50Us! / 1e3, p99Ms: p99Us! / 1e3 }
  return figures as unknown as HttpFigures
}

export interface HttpRun {
  seconds: number
  generator: HttpGenerator
  /** Gets the generator's process id. */
  onStart: (pid: number) => void
  signal: AbortSignal
}

/** Drives a server for some seconds. @throws Error when the generator fails */
export async function runHttpLoad(load: HttpLoad, run: HttpRun): Promise<HttpFigures> {
  const { seconds, generator, onStart, signal } = run
  const [program, ...args] = commandOf(generator, load, seconds)
  const hung = AbortSignal.timeout(seconds * 1_000 + limits.generatorGraceMs)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal: AbortSignal.any([signal, hung]) })
  if (child.pid !== undefined) onStart(child.pid)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${generator} ended with ${code}:\n${output}`)
  return parseFigures(output)
}
