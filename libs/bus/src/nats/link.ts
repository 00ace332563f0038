import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node'
import { natsLimits } from '../limits.ts'
import { reasonOf, type Log } from '../log.ts'
import { backoffMs, pause } from '../pause.ts'
import type { NatsOptions } from './options.ts'
import { greeting, parseServer, type ServerAddress } from './server.ts'
import { configureStream, ensureStream } from './stream.ts'

/** One connection, from its handshake to its end. */
export interface Session {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  /** Aborts once the connection is gone. */
  readonly ended: AbortSignal
}

/**
 * Keeps one connection to NATS, and the stream on it, for as long as the bus lives. It starts without NATS. A lost
 * connection is replaced by a new one, never mended: nats.js's own reconnecting cannot be ended while it dials, hides
 * why it fails, and waits for a stopped server's socket to take one more write before it gives it up.
 */
export class Link {
  readonly #options: NatsOptions
  readonly #log: Log
  readonly #closing = new AbortController()
  readonly #starts = new Set<(session: Session) => void>()
  readonly #running: Promise<void>
  #session: Session | undefined
  #isUp = false
  readonly #troubles = new Set<string>()

  constructor(options: NatsOptions, log: Log) {
    this.#options = options
    this.#log = log
    this.#running = this.#run(options.servers.map(parseServer))
  }

  get session(): Session | undefined {
    return this.#session
  }

  get state(): 'up' | 'down' {
    return this.#isUp ? 'up' : 'down'
  }

  /** Calls `start` with the session there is and with each later one, until the function it gives is called. */
  eachSession(start: (session: Session) => void): () => void {
    this.#starts.add(start)
    if (this.#session) start(this.#session)
    return () => void this.#starts.delete(start)
  }

  /** Makes the stream when it is gone. @throws when JetStream does not let it. */
  ensureStream({ manager }: Session): Promise<void> {
    return ensureStream(manager, this.#options)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#session?.connection.close()
    await this.#running
  }

  async #run(servers: ServerAddress[]): Promise<void> {
    const { signal } = this.#closing
    let failures = 0
    for (let turn = 0; !signal.aborted; turn++) {
      const server = servers[turn % servers.length]!
      try {
        const connection = await this.#connect(server)
        failures = 0
        await this.#serve(connection, server)
      } catch (error) {
        this.#setDown(server.address, error)
      }
      const waitMs = backoffMs(++failures, natsLimits.firstReconnectMs, natsLimits.longestReconnectMs)
      await pause(waitMs, signal)
    }
  }

  async #connect(server: ServerAddress): Promise<NatsConnection> {
    const { tls, servers, name } = this.#options
    const secure = tls !== undefined || servers.some((url) => url.startsWith('tls:'))
    // A server that takes connections and says nothing would cost nats.js a socket for each attempt.
    if (!tls?.handshakeFirst) await greeting(server, natsLimits.connectMs, this.#closing.signal)
    const options: ConnectionOptions = {
      servers: server.address,
      name,
      reconnect: false,
      timeout: natsLimits.connectMs,
      pingInterval: natsLimits.pingIntervalMs,
      maxPingOut: natsLimits.unansweredPings,
      ignoreClusterUpdates: true,
      ...authentication(this.#options, server),
    }
    // The host is for certificates that name an address: nats.js passes on names only.
    if (secure) options.tls = { ...tls, ...{ host: server.host } }
    return connect(options)
  }

  async #serve(connection: NatsConnection, { address }: ServerAddress): Promise<void> {
    const ended = new AbortController()
    const closed = connection.closed().then((error) => {
      ended.abort()
      return error
    })
    if (this.#closing.signal.aborted) return connection.close()
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: natsLimits.managementMs })
    const session = { connection, manager, ended: ended.signal }
    void closeWhenStale(connection)
    this.#session = session
    for (const start of this.#starts) start(session)
    await Promise.all([this.#watchStream(session, address), closed])
    this.#session = undefined
    if (this.#closing.signal.aborted) this.#setState(false)
    else this.#setDown(address, (await closed) ?? 'the connection was lost')
  }

  /** Sees that the stream is there, at first and again and again: it may be wiped while we are connected. */
  async #watchStream({ manager, ended }: Session, address: string): Promise<void> {
    let isConfigured = false
    while (!ended.aborted) {
      try {
        await ensureStream(manager, this.#options)
        this.#setUp(address)
        if (!isConfigured) await this.#configureStream(manager)
        isConfigured = true
      } catch (error) {
        if (!ended.aborted) this.#setDown(address, error)
      }
      const waitMs = this.#isUp ? natsLimits.streamCheckMs : natsLimits.longestReconnectMs
      await pause(waitMs * (0.75 + Math.random() / 2), ended)
    }
  }

  async #configureStream(manager: JetStreamManager): Promise<void> {
    try {
      await configureStream(manager, this.#options)
    } catch (error) {
      this.#log.warn({ reason: reasonOf(error) }, 'the stream keeps the limits that it has')
    }
  }

  #setUp(server: string): void {
    if (!this.#isUp) this.#log.info({ server }, 'the bus is up')
    this.#troubles.clear()
    this.#setState(true)
  }

  #setDown(server: string, error: unknown): void {
    const reason = reasonOf(error)
    const isNew = !this.#troubles.has(reason) && this.#troubles.size < natsLimits.troublesTold
    if (isNew) this.#log.warn({ server, reason }, 'the bus is down; events wait in the outbox')
    this.#troubles.add(reason)
    this.#setState(false)
  }

  #setState(isUp: boolean): void {
    if (isUp === this.#isUp) return
    this.#isUp = isUp
    this.#options.onState?.(this.state)
  }
}

/** nats.js would wait for the dead connection to take its last bytes. */
async function closeWhenStale(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) if (type === 'staleConnection') await connection.close()
}

function authentication({ credentials }: NatsOptions, { user, password }: ServerAddress): Partial<ConnectionOptions> {
  if (!credentials) return user === undefined ? {} : password === undefined ? { token: user } : { user, pass: password }
  if ('token' in credentials) return { token: credentials.token }
  if ('user' in credentials) return { user: credentials.user, pass: credentials.password }
  return { authenticator: credsAuthenticator(new TextEncoder().encode(credentials.creds)) }
}
