import { setFlagsFromString } from 'node:v8'

/**
 * Runs everything that waits for a promise, until nothing does: V8's own checkpoint, as Node makes it after each
 * callback, at a hundredth of what a turn of the event loop costs. To be called outside of any microtask.
 */
export const drainMicrotasks: () => void = (() => {
  setFlagsFromString('--allow-natives-syntax')
  return new Function('%PerformMicrotaskCheckpoint()') as () => void
})()

/** Calls once no microtask is running, and gives what comes of it. @throws Error when this runtime cannot drain them. */
export const inOwnTurn = <T>(run: () => T): Promise<T> =>
  new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        let isDrained = false
        void (async () => {
          for (let depth = 0; depth < 100; depth++) await undefined
          isDrained = true
        })()
        drainMicrotasks()
        if (!isDrained) throw new Error('this runtime does not drain its microtasks when asked to')
        resolve(run())
      } catch (thrown) {
        reject(thrown as Error)
      }
    })
  })
