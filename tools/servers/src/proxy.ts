import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'

/** A TCP proxy that treats what passes through it badly, each way by itself. */
export interface Proxy {
  port: number
  /** Milliseconds by which bytes are late. */
  delay(toServerMs: number, toClientMs: number): void
  /** Takes bytes in and does not pass them on, until released: then they go on, in order. */
  hold(way: 'to server' | 'to client' | 'both'): void
  release(): void
  /** Ends every connection; new ones are made as before. */
  cut(): void
  stop(): Promise<void>
}

class Way {
  readonly #to: Socket
  readonly #delayMs: () => number
  readonly #isHeld: () => boolean
  #waiting: { atMs: number; chunk: Buffer }[] = []

  constructor(from: Socket, to: Socket, delayMs: () => number, isHeld: () => boolean) {
    this.#to = to
    this.#delayMs = delayMs
    this.#isHeld = isHeld
    from.on('data', (chunk: Buffer) => {
      this.#waiting.push({ atMs: performance.now() + this.#delayMs(), chunk })
      this.pass()
    })
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }

  readonly pass = (): void => {
    if (this.#isHeld()) return
    while (this.#waiting.length > 0) {
      const leftMs = this.#waiting[0]!.atMs - performance.now()
      if (leftMs > 0) return void setTimeout(this.pass, leftMs)
      const { chunk } = this.#waiting.shift()!
      if (!this.#to.destroyed) this.#to.write(chunk)
    }
  }
}

/** A proxy in front of a port of this machine. */
export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const ways = new Set<Way>()
  let [toServerMs, toClientMs] = [0, 0]
  let held: 'to server' | 'to client' | 'both' | undefined
  const isHeld = (way: 'to server' | 'to client') => held === way || held === 'both'
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    const pair = [
      new Way(
        client,
        upstream,
        () => toServerMs,
        () => isHeld('to server'),
      ),
      new Way(
        upstream,
        client,
        () => toClientMs,
        () => isHeld('to client'),
      ),
    ]
    for (const way of pair) ways.add(way)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        for (const way of pair) ways.delete(way)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: address.port,
    delay: (toServer, toClient) => void ([toServerMs, toClientMs] = [toServer, toClient]),
    hold: (way) => void (held = way),
    release() {
      held = undefined
      for (const way of ways) way.pass()
    },
    cut,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      cut()
      await closed
    },
  }
}
