import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves once the condition holds. @throws when it does not within the time. */
export async function eventually(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const until = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`not within ${withinMs} ms: ${condition}`)
    await sleep(10)
  }
}
