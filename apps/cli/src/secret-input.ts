import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Failure } from '@countersign/contracts'
import { limits } from './limits.ts'
import type { Surroundings } from './surroundings.ts'

const mistake = (message: string): Failure => new Failure('invalid_request', message)

export interface SecretSource {
  /** What is asked for, as in `the token`. */
  readonly what: string
  readonly file: string | undefined
  /** The option that gave the file. */
  readonly fileOption: string
  /** The variable that may hold it. */
  readonly variable: string
  /** Whether it is read from standard input when nothing else gives it. */
  readonly stdin: boolean
}

/**
 * A secret from its file, its variable, standard input, or the terminal without echo: the first of these there is.
 * @throws Failure `invalid_request` that says where it may come from
 */
export async function readSecret(source: SecretSource, surroundings: Surroundings): Promise<string> {
  const { what, file, fileOption, variable, stdin } = source
  const { env } = surroundings
  if (file !== undefined) return oneLine(await readFile(file, fileOption), `${what} in ${file}`)
  if (env[variable] !== undefined) return oneLine(env[variable], `${what} in ${variable}`)
  if (isInteractive(surroundings)) return oneLine(await askHidden(`${capital(what)}: `, surroundings), what)
  if (stdin) return readStandardInput(what, surroundings)
  throw mistake(
    `no ${what.replace(/^the /, '')}: set ${variable} or give ${fileOption} FILE` +
      ' (never as an argument, which everybody on this machine can read)',
  )
}

/** The one line that standard input gives. @throws Failure `invalid_request` */
export const readStandardInput = async (what: string, { stdin }: Surroundings): Promise<string> =>
  oneLine(await readBounded(stdin, 'standard input'), `${what} on standard input`)

/** Whether somebody is there to be asked. */
export const isInteractive = ({ stdin, stderr }: Surroundings): boolean => stdin.isTTY === true && stderr.isTTY === true

/** Asks on the terminal, and shows nothing of what is typed. @throws Failure `invalid_request` when it is cut short */
export function askHidden(question: string, surroundings: Surroundings): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  return ask(question, nowhere, surroundings)
}

/** Asks on the terminal. @throws Failure `invalid_request` when it is cut short */
export const askShown = (question: string, surroundings: Surroundings): Promise<string> =>
  ask(question, surroundings.stderr, surroundings)

async function ask(question: string, output: Writable, { stdin, stderr }: Surroundings): Promise<string> {
  const terminal = createInterface({ input: stdin, output, terminal: true, historySize: 0 })
  const isShown = output === stderr
  // Only now: the terminal has stopped to echo.
  if (!isShown) stderr.write(question)
  try {
    return await new Promise((resolve, reject) => {
      terminal.once('close', () => reject(mistake('nothing was entered')))
      terminal.question(isShown ? question : '').then(resolve, reject)
    })
  } finally {
    terminal.close()
    if (!isShown) stderr.write('\n')
  }
}

async function readFile(path: string, option: string): Promise<string> {
  try {
    return await readBounded(createReadStream(path), path)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    throw thrown instanceof Failure ? thrown : mistake(`${option}: ${path} cannot be read (${code})`)
  }
}

async function readBounded(stream: AsyncIterable<Buffer>, name: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > limits.secretBytes) throw mistake(`${name} holds more than ${limits.secretBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function oneLine(text: string, what: string): string {
  const line = text.replace(/[\r\n]+$/, '')
  if (line.trim() === '') throw mistake(`${what} is empty`)
  if (/[\r\n]/.test(line)) throw mistake(`${what} is more than one line`)
  return line
}

const capital = (text: string): string => text.replace(/^the /, '').replace(/^./, (letter) => letter.toUpperCase())
