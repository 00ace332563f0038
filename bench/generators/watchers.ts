// Many caches in one process, each with a verifier and a connection of its own, as so many resource services would.
import { systemClock } from '@countersign/leased-cache'
import { connectUpstream } from '@countersign/sdk/grpc'
import { LeasedVerifier } from '@countersign/sdk/verifier'

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
const verifiers: LeasedVerifier[] = []

/** Milliseconds of the machine's monotonic clock, which all processes share. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

let refused: number[] = []
let waiting = new Set<LeasedVerifier>()
let armed: string | undefined
let allRefused = (): void => undefined
let all = Promise.resolve()

/** Asks a cache about the token after each message that it is told, until it refuses: nothing else changes its mind but time. */
async function look(verifier: LeasedVerifier): Promise<void> {
  if (armed === undefined || !waiting.has(verifier) || (await verifier.verify(armed)).ok) return
  if (!waiting.delete(verifier)) return
  refused.push(nowMs())
  if (waiting.size === 0) allRefused()
}

function arm(token: string): void {
  refused = []
  waiting = new Set(verifiers)
  armed = token
  all = new Promise((resolve) => (allRefused = resolve))
}

function watchingVerifier(name: string): LeasedVerifier {
  const client = { id: clientId, secret: clientSecret }
  const upstream = connectUpstream({ target, client, tls: undefined, allowPlaintext: false, deadlineMs: 2_000 })
  const verifier: LeasedVerifier = new LeasedVerifier({
    upstream: {
      ...upstream,
      watch: ({ onResponse, onClosed }) =>
        upstream.watch({
          onResponse(response) {
            onResponse(response)
            void look(verifier)
          },
          onClosed,
        }),
    },
    clock: systemClock(),
    random: Math.random,
    maxStalenessMs: 1_000,
    cacheEntries: 1_000,
    deadlineMs: 2_000,
    name,
    log: { info: () => undefined, warn: () => undefined },
  })
  return verifier
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
  else if ('arm' in question) arm(question.arm)
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

for (let n = 0; n < caches; n++) {
  verifiers.push(watchingVerifier(`cache ${n}`))
  // A thousand connections at once would be more than a listening socket queues.
  if (n % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 50))
}
while (!verifiers.every((verifier) => verifier.stats().isWatching))
  await new Promise((resolve) => setTimeout(resolve, 20))
process.send!({ ready: true })
