// Many caches in one process, each with a verifier and a connection of its own, as so many resource services would.
import { createVerifier, type Verifier } from '@countersign/sdk'

/** The arguments, as JSON. */
export interface WatchersJob {
  target: string
  clientId: string
  clientSecret: string
  caches: number
}

export type WatchersQuestion = { prime: string } | { arm: string } | { collect: true }

const job = JSON.parse(process.argv[2]!) as WatchersJob
const { target, clientId, clientSecret, caches } = job
const verifiers: Verifier[] = []

/** Milliseconds of the machine's monotonic clock, which all processes share. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

let refused: number[] = []
let all = Promise.resolve()

/** Looks at every cache about once a millisecond until each has refused, and notes when. */
async function pollUntilRefused(token: string): Promise<void> {
  refused = []
  let waiting = verifiers
  while (waiting.length > 0) {
    const still: Verifier[] = []
    for (const verifier of waiting) {
      if ((await verifier.verify(token)).ok) still.push(verifier)
      else refused.push(nowMs())
    }
    waiting = still
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function prime(token: string): Promise<void> {
  for (const verifier of verifiers) {
    if (!(await verifier.verify(token)).ok) throw new Error('a good token was refused')
    const { hits } = verifier.stats()
    if (!(await verifier.verify(token)).ok || verifier.stats().hits === hits) throw new Error('a token was not kept')
  }
}

async function answer(question: WatchersQuestion): Promise<object> {
  if ('prime' in question) await prime(question.prime)
  else if ('arm' in question) all = pollUntilRefused(question.arm)
  else {
    await all
    return { refused: Float64Array.from(refused) }
  }
  return { done: true }
}

process.on('message', (question: WatchersQuestion) => {
  answer(question).then(
    (answered) => process.send!(answered),
    (error: Error) => process.send!({ error: error.message }),
  )
})
process.on('disconnect', () => process.exit())

const log = { info: () => undefined, warn: () => undefined }
for (let n = 0; n < caches; n++) {
  verifiers.push(createVerifier({ target, credentials: { clientId, clientSecret }, name: `cache ${n}`, log }))
  // A thousand connections at once would be more than a listening socket queues.
  if (n % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 50))
}
while (!verifiers.every((verifier) => verifier.stats().isWatching))
  await new Promise((resolve) => setTimeout(resolve, 20))
process.send!({ ready: true })
