// Drives an introspection service over gRPC, in a process of its own. Messages are bytes made beforehand, and answers
// are checked as bytes: what is measured is the server and the transport, not this.
import { readFileSync } from 'node:fs'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import {
  BatchIntrospectRequest,
  IntrospectionService,
  IntrospectRequest,
  StreamIntrospectRequest,
} from '@countersign/contracts/introspection'
import { Latencies } from './latencies.ts'
import { activeAnswersIn, isActiveAnswer, streamAnswer } from './wire.ts'

export type GrpcMode = 'unary' | 'batch' | 'stream'

/** The arguments, as JSON. */
export interface GrpcJob {
  target: string
  authorization: string
  mode: GrpcMode
  tokensFile: string
  /** Calls at once; on a stream, questions not answered yet. */
  concurrency: number
  batchTokens: number
}

export interface GrpcFigures {
  /** Tokens answered. */
  tokens: number
  seconds: number
  /** One for each call, or each question on a stream. */
  latenciesMs: Float64Array
}

const job = JSON.parse(process.argv[2]!) as GrpcJob
const tokens = readFileSync(job.tokensFile, 'utf8').trimEnd().split('\n')
const client = new Client(job.target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
const metadata = new Metadata()
metadata.set('authorization', job.authorization)
const same = (bytes: Buffer) => bytes
const questions = tokens.map((token): IntrospectRequest => ({
  token,
  tokenTypeHint: '',
  minRevision: '',
  staleness: undefined,
}))

/** The next of some messages, round and round. */
function rotation<T>(messages: readonly T[]): () => T {
  let sent = 0
  return () => messages[sent++ % messages.length]!
}

function batches(): Buffer[] {
  const made: Buffer[] = []
  for (let from = 0; from + job.batchTokens <= questions.length; from += job.batchTokens) {
    const requests = questions.slice(from, from + job.batchTokens)
    made.push(Buffer.from(BatchIntrospectRequest.encode({ requests }).finish()))
  }
  return made
}

type Round = { until: number; latencies: Latencies; resolve: () => void; reject: (error: Error) => void }

/** Keeps so many calls in flight until the time is up. */
function callRepeatedly(path: string, next: () => Buffer, isRight: (answer: Buffer) => boolean, round: Round): void {
  let open = job.concurrency
  const call = (): void => {
    const from = performance.now()
    client.makeUnaryRequest(path, same, same, next(), metadata, (error, answer) => {
      const now = performance.now()
      if (error) return round.reject(error)
      if (!answer || !isRight(answer)) return round.reject(new Error('a token was not answered active'))
      round.latencies.add(now - from)
      if (now < round.until) call()
      else if (--open === 0) round.resolve()
    })
  }
  for (let n = 0; n < job.concurrency; n++) call()
}

/** Keeps so many questions unanswered on one stream until the time is up. Ids are slots, from 1. */
function askRepeatedly(round: Round): void {
  const next = rotation(questions)
  const stream = client.makeBidiStreamRequest(IntrospectionService.streamIntrospect.path, same, same, metadata)
  const asked = new Float64Array(job.concurrency + 1)
  let open = job.concurrency
  const ask = (id: number): void => {
    asked[id] = performance.now()
    stream.write(Buffer.from(StreamIntrospectRequest.encode({ id, request: next(), requests: [] }).finish()))
  }
  stream.on('error', round.reject).on('end', round.resolve)
  stream.on('data', (answer: Buffer) => {
    const { id, active } = streamAnswer(answer)
    if (!active || !(asked[id]! > 0)) return round.reject(new Error('a question was not answered active'))
    const now = performance.now()
    round.latencies.add(now - asked[id]!)
    if (now < round.until) ask(id)
    else if (--open === 0) stream.end()
  })
  for (let id = 1; id <= job.concurrency; id++) ask(id)
}

const starts: Record<GrpcMode, () => (round: Round) => void> = {
  unary() {
    const next = rotation(questions.map((question) => Buffer.from(IntrospectRequest.encode(question).finish())))
    return (round) => callRepeatedly(IntrospectionService.introspect.path, next, isActiveAnswer, round)
  },
  batch() {
    const next = rotation(batches())
    const isRight = (answer: Buffer) => activeAnswersIn(answer) === job.batchTokens
    return (round) => callRepeatedly(IntrospectionService.batchIntrospect.path, next, isRight, round)
  },
  stream: () => askRepeatedly,
}

const start = starts[job.mode]()
const tokensPerAnswer = job.mode === 'batch' ? job.batchTokens : 1

process.on('message', async ({ seconds }: { seconds: number }) => {
  const latencies = new Latencies()
  const from = performance.now()
  try {
    await new Promise<void>((resolve, reject) => start({ until: from + seconds * 1_000, latencies, resolve, reject }))
    const figures: GrpcFigures = {
      tokens: latencies.count * tokensPerAnswer,
      seconds: (performance.now() - from) / 1_000,
      latenciesMs: latencies.values(),
    }
    process.send!(figures)
  } catch (error) {
    process.send!({ error: (error as Error).message })
  }
})
process.on('disconnect', () => process.exit())
client.waitForReady(Date.now() + 10_000, (error) => {
  if (error) throw error
  process.send!({ ready: true })
})
