import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition. What throws is tried again. @throws Error when it does not hold in time */
export async function until(holds: () => Promise<boolean> | boolean, withinMs = 20_000): Promise<void> {
  const end = Date.now() + withinMs
  let last: unknown
  while (Date.now() < end) {
    try {
      if (await holds()) return
    } catch (thrown) {
      last = thrown
    }
    await sleep(25)
  }
  throw new Error(`it did not come to hold within ${withinMs} ms: ${holds.toString()}`, { cause: last })
}
