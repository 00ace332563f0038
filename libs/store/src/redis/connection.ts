import { Cluster } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'
import { firstReconnectMs, longestReconnectMs, maxCallsUnderWay, resendAfterMs } from '../limits.ts'
import { unavailable } from '../unavailable.ts'
import type { RedisClient } from './client.ts'
import { faultOf } from './fault.ts'
import { UnsafeStoreError } from './safety.ts'

export interface ConnectionOptions {
  makeClient: () => RedisClient
  /** Throws unless this server may be used; asked on every new connection. */
  verify: (client: RedisClient) => Promise<void>
  /** For one call, waiting and sending again included; and for one attempt to connect. */
  timeoutMs: number
  onState: (state: 'up' | 'down', detail: string) => void
}

interface Waiting {
  resolve: (client: RedisClient) => void
  reject: (error: unknown) => void
}

const noConnection = 'there is no connection to Redis'

/**
 * Keeps one verified client connected, and gives it to calls. A call whose connection is lost goes out again on the
 * next one (so it must be safe to repeat), until its time is over; then, or when Redis has been away for that long
 * already, it fails as `unavailable`.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #waiting = new Set<Waiting>()
  #current: RedisClient | undefined
  #isUp = false
  #isClosed = false
  #attempts = 0
  #underWay = 0
  #downSince = performance.now()
  #problem: unknown = new Error('not connected yet')
  #timer: NodeJS.Timeout | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#connect()
  }

  /** Why there is no connection. */
  get problem(): unknown {
    return this.#problem
  }

  /** @throws Failure */
  async use<T>(call: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#underWay >= maxCallsUnderWay) throw unavailable('too many calls are waiting for Redis')
    const { timeoutMs } = this.#options
    const sent: Sent = { client: undefined, at: 0 }
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(unavailable(sent.client ? 'Redis did not answer in time' : noConnection, this.#problem))
        this.#doubt(sent)
      }, timeoutMs)
    })
    this.#underWay++
    try {
      return await Promise.race([this.#try(call, performance.now() + timeoutMs, sent), tooLong])
    } finally {
      this.#underWay--
      clearTimeout(timer)
    }
  }

  /** A connection that left a call unanswered for long is given up; a cluster's nodes see to that themselves. */
  #doubt({ client, at }: Sent): void {
    const hadTime = performance.now() - at >= this.#options.timeoutMs / 2
    if (client && hadTime && !(client instanceof Cluster)) this.#drop(client, new Error('no answer in time'))
  }

  async #try<T>(call: (client: RedisClient) => Promise<T>, deadline: number, sent: Sent): Promise<T> {
    for (;;) {
      const client = this.#isUp ? this.#current! : await this.#wait()
      const at = performance.now()
      if (at >= deadline) throw unavailable(noConnection, this.#problem)
      sent.client = client
      sent.at = at
      try {
        return await call(client)
      } catch (error) {
        const { failure, isConnectionLost } = faultOf(error)
        if (!isConnectionLost) throw failure
        if (client instanceof Cluster) client.refreshSlotsCache()
        else this.#drop(client, failure.cause)
        if (performance.now() + resendAfterMs >= deadline) throw failure
        await sleep(resendAfterMs)
      }
    }
  }

  #wait(): Promise<RedisClient> {
    const hasBeenAway = performance.now() - this.#downSince > this.#options.timeoutMs
    if (this.#isClosed || hasBeenAway) return Promise.reject(unavailable(noConnection, this.#problem))
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }))
  }

  #connect(): void {
    const client = this.#options.makeClient()
    this.#current = client
    client.on('error', (error: Error) => {
      if (client === this.#current) this.#problem = new Error(error.message)
    })
    client.once('ready', () => void this.#verify(client))
    client.once('end', () => this.#drop(client, this.#isUp ? new Error('the connection was closed') : this.#problem))
    this.#timer = setTimeout(
      () => this.#drop(client, new Error('Redis was not ready in time')),
      this.#options.timeoutMs,
    )
    client.connect().catch(() => undefined)
  }

  async #verify(client: RedisClient): Promise<void> {
    try {
      await this.#options.verify(client)
    } catch (error) {
      this.#drop(client, error)
      if (error instanceof UnsafeStoreError) this.#refuse(error)
      return
    }
    if (client !== this.#current) return
    clearTimeout(this.#timer)
    this.#isUp = true
    this.#attempts = 0
    this.#problem = undefined
    this.#options.onState('up', 'connected to Redis')
    for (const { resolve } of this.#waiting) resolve(client)
    this.#waiting.clear()
  }

  /** There is no use in waiting for somebody to mend the server's settings. */
  #refuse(error: UnsafeStoreError): void {
    for (const { reject } of this.#waiting) reject(unavailable('this Redis may not be used', error))
    this.#waiting.clear()
    this.#options.onState('down', error.message)
  }

  /** Gives up a client and plans the next; the calls under way on it fail as lost. */
  #drop(client: RedisClient, problem: unknown): void {
    if (client !== this.#current) return
    clearTimeout(this.#timer)
    this.#current = undefined
    this.#problem = problem
    client.disconnect()
    if (this.#isUp) {
      this.#isUp = false
      this.#downSince = performance.now()
      this.#options.onState('down', problem instanceof Error ? problem.message : 'disconnected')
    }
    if (this.#isClosed) return
    const delayMs = Math.min(firstReconnectMs * 2 ** this.#attempts++, longestReconnectMs)
    this.#timer = setTimeout(() => this.#connect(), delayMs * (0.5 + Math.random() / 2))
  }

  /** Waits for the answers to what was sent, briefly, and disconnects. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const client = this.#current
    this.#current = undefined
    clearTimeout(this.#timer)
    if (client && this.#isUp) {
      this.#isUp = false
      const quit = client.quit().catch(() => undefined)
      await Promise.race([quit, sleep(this.#options.timeoutMs, undefined, { ref: false })])
    }
    client?.disconnect()
    for (const { reject } of this.#waiting) reject(unavailable('it is closed'))
    this.#waiting.clear()
  }
}

interface Sent {
  client: RedisClient | undefined
  at: number
}
