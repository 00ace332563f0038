import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFailureLog, type Log } from '@countersign/chassis'
import { isLoopback } from '@countersign/chassis/config'
import { Failure } from '@countersign/contracts'
import { createTransport, type NodemailerError } from 'nodemailer'
import { Gate } from '../gate.ts'
import { isMailAddress, readMailbox } from './address.ts'
import type { Letter } from './letters.ts'
import { limits } from './limits.ts'

export interface PostStats {
  sent: number
  /** Given up. */
  failed: number
  retried: number
  /** On their way, or waiting. */
  waiting: number
}

export interface Post {
  /**
   * Sends a letter, trying again for a while where that may help. Nobody has to wait for it.
   * @returns whether a mail server took it; never throws: what fails is logged, without the letter, and counted
   */
  send(letter: Letter): Promise<boolean>
  stats(): PostStats
  /** Takes no more letters, tries those that wait once more, and ends within a bound. */
  close(): Promise<void>
}

export interface PostOptions {
  /** `smtp://` or `smtps://`. Outside loopback, and wherever there is a `ca`, the former has to offer STARTTLS. */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: { reveal(): string } | undefined
  /** `name@host` or `Name <name@host>` */
  readonly from: string
  /** PEM of the authorities to trust; absent: those that Node trusts. */
  readonly ca?: string | Buffer | undefined
  /** Of each step: to connect, to be greeted, to be answered. */
  readonly timeoutMs: number
  readonly log: Log
  /** Before each further try. */
  readonly pausesMs?: readonly number[]
  readonly drainMs?: number
}

/** @throws Failure `invalid_request` when `from` is no address */
export function createPost(options: PostOptions): Post {
  const { log, timeoutMs, pausesMs = limits.pausesMs, drainMs = limits.drainMs } = options
  const { hostname } = new URL(options.url)
  const from = readMailbox(options.from)
  if (!from) throw new Failure('invalid_request', 'mail.from is no e-mail address')
  const transport = createTransport(transportOptions(options))
  const logFailure = createFailureLog(log)
  const gate = new Gate(limits.connections)
  const ending = new AbortController()
  const ended = new AbortController()
  const letters = new Set<Promise<boolean>>()
  const counts = { sent: 0, failed: 0, retried: 0 }

  async function attempt({ to, subject, text, html }: Letter, messageId: string): Promise<void> {
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(timeoutMs * limits.stepsPerTry)])
    const headers = { 'Auto-Submitted': 'auto-generated' }
    const envelope = { from: from!.address, to }
    const addressee = { name: '', address: to }
    await transport.sendMail({ from: from!, to: addressee, envelope, subject, text, html, headers, messageId, signal })
  }

  async function deliver(letter: Letter): Promise<boolean> {
    // The same for every try: a server that took it without saying so can tell that it has it.
    const messageId = `<${randomUUID()}@${from!.address.split('@').at(-1)}>`
    for (let tries = 1; ; tries++) {
      try {
        await gate.pass(() => attempt(letter, messageId))
        counts.sent++
        return true
      } catch (thrown) {
        const pauseMs = pausesMs[tries - 1]
        const isOver = pauseMs === undefined || ending.signal.aborted || !isTemporary(thrown)
        if (isOver) return failed(`a letter was not sent: ${reasonOf(thrown)}`, { message: messageId, tries })
        counts.retried++
        await sleep(pauseMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined)
      }
    }
  }

  function failed(what: string, fields: Record<string, unknown>): false {
    counts.failed++
    logFailure(new Failure('unavailable', what), { host: hostname, ...fields })
    return false
  }

  return {
    async send(letter) {
      if (ending.signal.aborted) return failed('a letter was not sent: no more are taken', {})
      if (letters.size >= limits.waitingLetters) return failed('a letter was not sent: too many wait', {})
      if (!isMailAddress(letter.to)) return failed('a letter was not sent: it is to no address', {})
      const sending = deliver(letter)
      letters.add(sending)
      return sending.finally(() => letters.delete(sending))
    },
    stats: () => ({ ...counts, waiting: letters.size }),
    async close() {
      ending.abort()
      const all = Promise.allSettled(letters)
      await Promise.race([all, sleep(drainMs, undefined, { ref: false })])
      ended.abort()
      await all
      transport.close()
    },
  }
}

function transportOptions({ url, username, password, ca, timeoutMs }: PostOptions) {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const secure = protocol === 'smtps:'
  const requireTLS = !secure && (ca !== undefined || !isLoopback(host))
  return {
    host,
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS,
    // On this machine there is often a certificate that nobody vouches for, and nobody who listens.
    ignoreTLS: !requireTLS,
    ...(username !== undefined && { auth: { user: username, pass: password?.reveal() ?? '' } }),
    ...(ca !== undefined && { tls: { ca } }),
    dnsTimeout: timeoutMs,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

const passing: ReadonlySet<unknown> = new Set(['ECONNECTION', 'ETIMEDOUT', 'ESOCKET', 'EDNS', 'EABORT'])

/** RFC 5321 section 4.2.1: 4yz may be tried again, 5yz not. */
function isTemporary(thrown: unknown): boolean {
  const { code, responseCode } = Object(thrown) as Partial<NodemailerError>
  return responseCode === undefined ? passing.has(code) : responseCode < 500
}

/** Not the message: servers answer with addresses. */
function reasonOf(thrown: unknown): string {
  const { code, originalCode, responseCode, command } = Object(thrown) as Partial<NodemailerError>
  const parts = [code ?? 'unknown', originalCode, responseCode, command && `at ${command}`]
  return parts.filter((part) => part !== undefined && part !== '').join(' ')
}
