import { once } from 'node:events'
import { Failure } from '@countersign/contracts'
import { baseUrl, findIssuer, readCredentials, type ClientOptions } from '../client.ts'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { limits } from '../limits.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'
import { eventLine } from './event-line.ts'
import { latestEvents, type AuditEvent, type AuditSource } from './source.ts'
import { followEvents } from './stream.ts'

export interface TailOptions extends ClientOptions {
  readonly audit?: string
  readonly follow?: true
  readonly sinceIndex?: string
  readonly limit?: string
  readonly type?: string
  readonly subject?: string
  readonly client?: string
}

/** `audit tail`: the latest events, or those since an index; with `--follow` also what comes. */
export async function tailAudit(options: TailOptions, surroundings: Surroundings): Promise<ExitCode> {
  const since = wholeNumber('--since-index', options.sinceIndex)
  const limit = wholeNumber('--limit', options.limit)
  if (since !== undefined && limit !== undefined && options.follow) {
    throw new Failure('invalid_request', 'with --since-index and --follow there is no --limit: all events are shown')
  }
  const source: AuditSource = {
    base: await findAudit(options, surroundings),
    credentials: await readCredentials(options, surroundings),
    filter: { type: options.type, subject: options.subject, client_id: options.client },
  }
  const tail = new Tail(source, options, surroundings)
  if (since === undefined) await tail.latest(limit ?? limits.tailEvents)
  else await tail.since(since, limit ?? Infinity)
  return exitCodes.ok
}

function wholeNumber(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (!/^\d{1,15}$/.test(given)) throw new Failure('invalid_request', `${option} takes a whole number`)
  return Number(given)
}

const findAudit = async (options: TailOptions, surroundings: Surroundings): Promise<URL> =>
  options.audit === undefined
    ? findIssuer(options, surroundings)
    : baseUrl(options.audit, '--audit', options.allowPlaintext === true)

class Tail {
  readonly #source: AuditSource
  readonly #options: TailOptions
  readonly #surroundings: Surroundings

  constructor(source: AuditSource, options: TailOptions, surroundings: Surroundings) {
    this.#source = source
    this.#options = options
    this.#surroundings = surroundings
  }

  async latest(limit: number): Promise<void> {
    const events = limit === 0 ? [] : await latestEvents(this.#source, limit)
    for (const event of events) await this.#print(event)
    if (!this.#options.follow) return
    // When there was none so far, whatever comes is new: even what came since we looked.
    const after = limit === 0 ? undefined : (events.at(-1)?.index ?? 0)
    for await (const event of this.#follow(after)) await this.#print(event)
  }

  async since(index: number, limit: number): Promise<void> {
    const newest = this.#options.follow ? Infinity : ((await latestEvents(this.#source, 1))[0]?.index ?? 0)
    if (newest <= index || limit === 0) return
    let shown = 0
    for await (const event of this.#follow(index)) {
      await this.#print(event)
      if (event.index >= newest || ++shown === limit) return
    }
  }

  #follow(after: number | undefined): AsyncGenerator<AuditEvent> {
    const { stderr } = this.#surroundings
    const onLost = ({ message }: Failure) => void stderr.write(`${printable(message)}; trying again\n`)
    return followEvents(this.#source, { after, onLost, silenceMs: limits.silenceMs, random: Math.random })
  }

  async #print(event: AuditEvent): Promise<void> {
    const { stdout } = this.#surroundings
    const line = this.#options.json ? `${printableJson(event, 0)}\n` : eventLine(event, this.#surroundings)
    if (!stdout.write(line)) await once(stdout, 'drain')
  }
}
