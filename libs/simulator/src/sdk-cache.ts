import { Failure } from '@countersign/contracts'
import type { IntrospectRequest, Outcome, StreamIntrospectResponse } from '@countersign/contracts/introspection'
import { LeasedVerifier, type VerifierParts } from '@countersign/sdk/verifier'
import type { Revocation, KnownToken } from './checker.ts'
import { limits } from './limits.ts'
import type { Machine } from './machine.ts'
import type { Stream } from './network.ts'
import type { Replica } from './replica.ts'
import type { Setting } from './setting.ts'

type Upstream = VerifierParts['upstream']
type WatchListener = Parameters<Upstream['watch']>[0]
type WatchStream = ReturnType<Upstream['watch']>

interface Open {
  resolve(outcomes: Outcome[]): void
  reject(failure: Failure): void
}

/** Questions put to one replica over one stream. */
interface Line {
  readonly stream: Stream
  readonly open: Map<number, Open>
}

const lost = () => new Failure('unavailable', 'the connection was lost')

/** The service over the network of a world; questions go to any replica, and one of them is watched. */
class WorldUpstream implements Upstream {
  readonly #setting: Setting
  readonly #machine: Machine
  readonly #replicas: readonly Replica[]
  readonly #lines = new Map<Replica, Line>()
  #id = 0

  constructor(setting: Setting, machine: Machine, replicas: readonly Replica[]) {
    this.#setting = setting
    this.#machine = machine
    this.#replicas = replicas
  }

  ask(questions: IntrospectRequest[]): Promise<Outcome[]> {
    const replica = this.#setting.random.pick(this.#replicas)
    return new Promise((resolve, reject) => {
      const line = this.#lines.get(replica) ?? this.#connect(replica)
      if (!line) return void this.#later(() => reject(lost()))
      const id = ++this.#id
      line.open.set(id, { resolve, reject })
      line.stream.send(1, { id, request: undefined, requests: questions })
    })
  }

  watch({ onResponse, onClosed }: WatchListener): WatchStream {
    const replica = this.#setting.random.pick(this.#replicas)
    if (!replica.machine.isUp) {
      this.#later(() => onClosed(lost()))
      return { send: () => undefined, close: () => undefined }
    }
    const stream = replica.watched(this.#machine, onResponse, () => onClosed(lost()))
    return { send: (request) => stream.send(1, request), close: () => stream.close(0) }
  }

  close(): void {
    for (const { stream } of this.#lines.values()) stream.close(0)
  }

  #connect(replica: Replica): Line | undefined {
    if (!replica.machine.isUp) return undefined
    const open: Line['open'] = new Map()
    const onAnswer = (message: unknown): void => {
      const { id, outcomes } = message as StreamIntrospectResponse
      open.get(id)?.resolve(outcomes)
      open.delete(id)
    }
    const onLost = (): void => {
      if (this.#lines.get(replica) === line) this.#lines.delete(replica)
      for (const { reject } of open.values()) reject(lost())
    }
    const line: Line = { stream: replica.asked(this.#machine, onAnswer, onLost), open }
    this.#lines.set(replica, line)
    return line
  }

  #later(call: () => void): void {
    const { scheduler, random } = this.#setting
    this.#machine.at(scheduler.nowMs + random.between(0.2, 5), this.#machine.name, call)
  }
}

/** A resource service with the real SDK in it. */
export class SdkCache {
  readonly #setting: Setting
  readonly #replicas: readonly Replica[]
  readonly machine: Machine
  readonly maxStalenessMs: number
  readonly #deadlineMs: number
  readonly #cacheEntries: number
  verifier: LeasedVerifier

  constructor(setting: Setting, name: string, maxStalenessMs: number, replicas: readonly Replica[]) {
    this.#setting = setting
    this.#replicas = replicas
    this.machine = setting.machine(name)
    this.maxStalenessMs = maxStalenessMs
    this.#deadlineMs = setting.random.between(1_000, 3_000)
    const { usual, few } = limits.cacheEntries
    this.#cacheEntries = setting.random.chance(0.2) ? few : usual
    this.verifier = this.#start()
  }

  crash(): void {
    this.tellFigures()
    this.machine.crash()
  }

  restart(): void {
    this.machine.restart()
    this.verifier = this.#start()
  }

  tellFigures(): void {
    const { hits, probes, facts, flushes, rollbacks } = this.verifier.stats()
    const { figures } = this.#setting.checker
    figures.hits += hits
    figures.probes += probes
    figures.facts += facts
    figures.flushes += flushes
    figures.rollbacks += rollbacks
  }

  /** Has it verify a token now. */
  verify(presented: string, token: KnownToken | undefined, after?: Revocation): Promise<boolean | undefined> {
    const { checker, scheduler } = this.#setting
    const { machine, maxStalenessMs: boundMs } = this
    const verification = { by: machine.name, beganMs: scheduler.nowMs, token, boundMs, after }
    const requirements = after ? { minRevision: after.revisions.join(' ') } : {}
    return this.verifier.verify(presented, requirements).then(
      ({ ok }) => {
        checker.judge(verification, ok)
        return ok
      },
      (thrown: unknown) => {
        checker.failed(verification, String(thrown))
        return undefined
      },
    )
  }

  #start(): LeasedVerifier {
    const { random, checker, scheduler, trace } = this.#setting
    const { machine } = this
    return new LeasedVerifier({
      upstream: new WorldUpstream(this.#setting, machine, this.#replicas),
      clock: machine.clock,
      random: random.next,
      maxStalenessMs: this.maxStalenessMs,
      cacheEntries: this.#cacheEntries,
      deadlineMs: this.#deadlineMs,
      name: machine.name,
      log: {
        info: (message) => trace.tell(scheduler.nowMs, () => `${machine.name}: ${message}`),
        warn: (message) => {
          trace.tell(scheduler.nowMs, () => `${machine.name}: ${message}`)
          const isAlarm = message.includes('went back')
          if (isAlarm && checker.wentBackMs === undefined)
            checker.violated('false_alarm', `${machine.name}: ${message}`)
        },
      },
    })
  }
}
