/** Stops before each call of the store, and goes on when it is its turn. */
export type Process = AsyncGenerator<void, void, void>

/** Processes that begin anew in a world of their own, and what must hold in it when they are through. */
export interface Trial {
  processes: Process[]
  check(): Promise<void>
}

/** Times that a process is interrupted by another, at most: races that need more of them are races with fewer, too. */
const mostInterruptions = 3

/**
 * Runs a trial in every order that the steps of its processes can have.
 * @param stepsOfFirst after which the first process dies; Infinity: it does not
 * @returns how many orders there were
 */
export async function inEveryOrder(begin: () => Promise<Trial>, stepsOfFirst = Infinity): Promise<number> {
  let orders = 0
  /** Which of those that could go on went on, at each step; the next order differs in the last that can. */
  let choices: { taken: number; of: number }[] = []
  do {
    await run(await begin(), choices, stepsOfFirst)
    orders++
    while (choices.length > 0 && choices.at(-1)!.taken + 1 >= choices.at(-1)!.of) choices.pop()
    choices = choices.map((choice, n) => ({ ...choice, taken: choice.taken + (n === choices.length - 1 ? 1 : 0) }))
  } while (choices.length > 0)
  return orders
}

async function run({ processes, check }: Trial, choices: { taken: number; of: number }[], stepsOfFirst: number) {
  const [first] = processes
  let alive = [...processes]
  let [steps, interruptions] = [0, 0]
  let running: Process | undefined
  for (let at = 0; ; at++) {
    if (steps >= stepsOfFirst) alive = alive.filter((process) => process !== first)
    if (alive.length === 0) return check()
    const goesOn = running !== undefined && alive.includes(running)
    const candidates = goesOn && interruptions >= mostInterruptions ? [running!] : alive
    const choice = (choices[at] ??= { taken: 0, of: candidates.length })
    const process = candidates[choice.taken]!
    if (goesOn && process !== running) interruptions++
    if (process === first) steps++
    running = process
    const { done } = await process.next()
    if (done) alive = alive.filter((each) => each !== process)
  }
}
