import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import type { Limiter, LimiterOptions } from '@countersign/chassis'
import type { Store } from '@countersign/store'
import type { NextFunction, Request, Response, Router } from 'express'

/** One request of a browser's, and what it asked. */
export interface Asked {
  readonly path: string
  readonly response: Response
  /** By name, in the order they were made. */
  readonly calls: string[]
  /** Calls one after the other, at most: those that were on their way together are one. */
  roundTrips: number
  answered: number
}

const storeCalls = ['get', 'follow', 'list', 'facts', 'commit']

/** Counts what each request asks, and nothing that was asked for its own sake. */
export class RoundTrips {
  readonly #running = new AsyncLocalStorage<Asked>()
  readonly requests: Asked[] = []

  /** Goes before all others. */
  readonly router = ((request: Request, response: Response, next: NextFunction): void => {
    const asked: Asked = { path: request.path, response, calls: [], roundTrips: 0, answered: 0 }
    this.requests.push(asked)
    this.#running.run(asked, next)
  }) as Router

  store(inner: Store): Store {
    return new Proxy(inner, {
      get: (_, name) => {
        const member: unknown = Reflect.get(inner, name)
        if (typeof member !== 'function') return member
        const call = member.bind(inner) as (...given: unknown[]) => Promise<unknown>
        if (!storeCalls.includes(String(name))) return call
        return (...given: unknown[]) => this.#ask(String(name), () => call(...given))
      },
    })
  }

  /** Of replicas that count together: they ask the store's Redis. */
  limiter(create: (options: LimiterOptions) => Limiter): (options: LimiterOptions) => Limiter {
    return (options) => {
      const { blockedSeconds, fail, take } = create(options)
      return {
        blockedSeconds: (key) => this.#ask('throttle', () => blockedSeconds(key)),
        fail: (key) => this.#ask('throttle', () => fail(key)),
        take: (key) => this.#ask('throttle', () => take(key)),
      }
    }
  }

  async #ask<T>(name: string, call: () => Promise<T>): Promise<T> {
    const asked = this.#running.getStore()
    if (!asked) return call()
    asked.calls.push(name)
    const trip = asked.answered + 1
    asked.roundTrips = Math.max(asked.roundTrips, trip)
    await turn()
    try {
      return await call()
    } finally {
      asked.answered = Math.max(asked.answered, trip)
    }
  }
}
