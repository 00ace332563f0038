import { parseBasic } from '@countersign/chassis'
import { Failure, formatRevision, parseRevision, type Position } from '@countersign/contracts'
import type { LeasedCache } from '@countersign/leased-cache'
import type { Client } from '@countersign/tokens'
import { Router, type Request, type Response } from 'express'
import type { Enforcement, ReplicaStatus } from './enforcement.ts'
import { limits } from './limits.ts'

/** Asks every replica, this one included. */
export interface Survey {
  survey(question: Uint8Array, withinMs: number): Promise<Uint8Array[]>
  onSurvey(handler: (question: Uint8Array) => Uint8Array | undefined): { close(): Promise<void> }
}

/** `GET /api/v1/revocations/{revision}`: how far a revocation has come. */
export interface RevocationStatus {
  revision: string
  /** Nothing that was asked answers from before the revision any more. */
  enforced: boolean
  caches: number
  applied: number
  /** Have not applied it, and answer nothing until they have. */
  lapsed: number
  slowest_ms: number | null
  /** Replicas and their caches that may still answer from before it, for the length of their leases. */
  silent: (ReplicaStatus['silent'][number] & { replica: string })[]
  replicas: string[]
}

export interface RevocationRoutesOptions {
  cache: LeasedCache<unknown>
  enforcement: Enforcement
  survey: Survey
  clientOf: (authorization: NonNullable<ReturnType<typeof parseBasic>>, address: string) => Client | Promise<Client>
}

const surveyPrefix = 'revocation '

/** Answers what other replicas ask. */
export function answerSurveys({ survey, enforcement }: Pick<RevocationRoutesOptions, 'survey' | 'enforcement'>) {
  return survey.onSurvey((question) => {
    const text = Buffer.from(question).toString()
    const position = text.startsWith(surveyPrefix) ? parseRevision(text.slice(surveyPrefix.length)) : undefined
    return position && Buffer.from(JSON.stringify(enforcement.status(position)))
  })
}

export function revocationRoutes({ cache, survey, clientOf }: RevocationRoutesOptions): Router {
  const router = Router({ caseSensitive: true, strict: true })

  function known(revision: string): Position {
    const position = parseRevision(revision)
    if (!position)
      throw new Failure('invalid_request', 'a revision is partition:epoch:sequence, as a revocation answers')
    const isOurs = cache.places().some((place) => {
      const here = parseRevision(place.revision)
      return here?.partition === position.partition && here.epoch === position.epoch
    })
    if (!isOurs) throw new Failure('not_found', 'this revision is not of this store, or of a history that it lost')
    return position
  }

  router.get('/api/v1/revocations/:revision', async (request: Request, response: Response) => {
    const basic = parseBasic(request.headers.authorization)
    if (!basic) throw new Failure('invalid_client', 'client authentication is required')
    const client = await clientOf(basic, request.ip ?? '')
    const position = known(String(request.params['revision']))
    const revision = formatRevision(position)
    const answers = await survey.survey(Buffer.from(surveyPrefix + revision), limits.surveyMs)
    const told = answers.map((answer) => JSON.parse(Buffer.from(answer).toString()) as ReplicaStatus)
    // The bus may bring an answer twice.
    const replicas = [...new Map(told.map((status) => [status.replica, status])).values()]
    const status = summed(revision, replicas)
    // Who the caches are is for those who may read what everybody does.
    const silent = client.readsAudit ? status.silent : status.silent.map(({ silent_ms }) => ({ silent_ms }))
    response.setHeader('cache-control', 'no-store')
    response.json({ ...status, silent })
  })

  return router
}

const sum = (replicas: readonly ReplicaStatus[], of: (replica: ReplicaStatus) => number): number =>
  replicas.reduce((total, replica) => total + of(replica), 0)

/** A replica is a cache, too. */
function summed(revision: string, replicas: readonly ReplicaStatus[]): RevocationStatus {
  const speeds = replicas.flatMap(({ slowestMs }) => slowestMs ?? [])
  return {
    revision,
    enforced: replicas.length > 0 && replicas.every(({ enforced }) => enforced),
    caches: sum(replicas, ({ caches }) => caches + 1),
    applied: sum(replicas, ({ cachesApplied, applied }) => cachesApplied + Number(applied)),
    lapsed: sum(replicas, ({ cachesLapsed }) => cachesLapsed),
    slowest_ms: speeds.length === 0 ? null : Math.round(Math.max(...speeds) * 10) / 10,
    silent: replicas.flatMap(({ replica, silent }) => silent.map((each) => ({ ...each, replica }))),
    replicas: replicas.map(({ replica }) => replica),
  }
}
