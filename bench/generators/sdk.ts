// A resource service that verifies tokens with the SDK and does nothing else, on one core.
import { readFileSync } from 'node:fs'
import { createVerifier } from '@countersign/sdk'
import { Latencies } from './latencies.ts'

/** The arguments, as JSON. */
export interface SdkJob {
  target: string
  clientId: string
  clientSecret: string
  tokensFile: string
  /** Verifications at once. */
  concurrency: number
  /** Answers kept; 0: every verification is a question. */
  cacheEntries: number
}

export interface SdkFigures {
  checks: number
  seconds: number
  /** One of every thousand; one of each where nothing is kept. */
  latenciesMs: Float64Array
}

const job = JSON.parse(process.argv[2]!) as SdkJob
const tokens = readFileSync(job.tokensFile, 'utf8').trimEnd().split('\n')
const { target, clientId, clientSecret, cacheEntries } = job
const verifier = createVerifier({ target, credentials: { clientId, clientSecret }, cacheEntries })
const requirements = { scopes: ['read:reports'] }

/** Looks at the clock every so many checks: reading it costs a good part of a check from memory. */
const stride = cacheEntries === 0 ? 1 : 1_000

async function verifyRepeatedly(first: number, until: number, latencies: Latencies): Promise<number> {
  let checks = 0
  for (let at = first; ;) {
    const from = performance.now()
    if (from >= until) return checks
    for (let n = 0; n < stride; n++) {
      const verification = await verifier.verify(tokens[at]!, requirements)
      if (!verification.ok) throw new Error('a token was not verified')
      if (++at === tokens.length) at = 0
    }
    checks += stride
    latencies.add((performance.now() - from) / stride)
    // Probes and pushes are macrotasks: a service that never yields would let its lease run out.
    if (cacheEntries > 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

process.on('message', async ({ seconds }: { seconds: number }) => {
  const latencies = new Latencies()
  const from = performance.now()
  const until = from + seconds * 1_000
  const before = verifier.stats()
  try {
    const step = Math.floor(tokens.length / job.concurrency)
    const workers = Array.from({ length: job.concurrency }, (_, n) => verifyRepeatedly(n * step, until, latencies))
    const checks = (await Promise.all(workers)).reduce((sum, each) => sum + each, 0)
    const asked = verifier.stats().questions - before.questions
    if (cacheEntries > 0 && checks > 0 && asked > tokens.length + checks / 1_000) {
      throw new Error(`${asked} of ${checks} checks were not answered from memory`)
    }
    const figures: SdkFigures = {
      checks,
      seconds: (performance.now() - from) / 1_000,
      latenciesMs: latencies.values(),
    }
    process.send!(figures)
  } catch (error) {
    process.send!({ error: (error as Error).message })
  }
})
process.on('disconnect', () => process.exit())

/** Ready once it may answer from memory, and has every answer. */
async function prepare(): Promise<void> {
  if (cacheEntries === 0) return
  while (!verifier.stats().isWatching) await new Promise((resolve) => setTimeout(resolve, 10))
  for (const token of tokens) await verifier.verify(token)
}
await prepare()
process.send!({ ready: true })
