// A resource service that verifies the tokens it is told about, over and over, and remembers when each was last good.
import { createVerifier } from '@countersign/sdk'

/** The arguments, as JSON. */
export interface CacheJob {
  target: string
  clientSecret: string
  maxStalenessMs: number
}

export type CacheQuestion = { add: string } | { report: true } | { stop: true }

export interface CacheReport {
  /** Token → when the last verification that found it active had begun, milliseconds of the machine's monotonic clock. */
  active: Record<string, number>
  /** Tokens that the last verification found inactive. */
  inactive: string[]
  verifications: number
  withoutVerdict: number
  hits: number
  rollbacks: number
  isWatching: boolean
}

const { target, clientSecret, maxStalenessMs } = JSON.parse(process.argv[2]!) as CacheJob
const verifier = createVerifier({
  target,
  credentials: { clientId: 'reports-api', clientSecret },
  maxStalenessMs,
  log: { info: () => undefined, warn: () => undefined },
})
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6
const tokens = new Set<string>()
const active = new Map<string, number>()
const last = new Map<string, boolean>()
let verifications = 0
let withoutVerdict = 0

async function verify(token: string): Promise<void> {
  const begunMs = nowMs()
  verifications++
  try {
    const { ok } = await verifier.verify(token)
    last.set(token, ok)
    if (ok) active.set(token, Math.max(active.get(token) ?? 0, begunMs))
  } catch {
    withoutVerdict++
  }
}

async function verifyOverAndOver(token: string): Promise<void> {
  for (;;) {
    await verify(token)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

process.on('message', (question: CacheQuestion) => {
  if ('add' in question && !tokens.has(question.add)) {
    tokens.add(question.add)
    void verifyOverAndOver(question.add)
  }
  if ('report' in question) {
    const { hits, rollbacks, isWatching } = verifier.stats()
    const inactive = [...last].flatMap(([token, ok]) => (ok ? [] : [token]))
    const report: CacheReport = {
      active: Object.fromEntries(active),
      inactive,
      verifications,
      withoutVerdict,
      hits,
      rollbacks,
      isWatching,
    }
    process.send!(report)
  }
  if ('stop' in question) process.exit()
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
