import { Failure } from '@countersign/contracts'
import { json, type Request } from 'express'
import { limits } from '../limits.ts'
import type { Given } from './members.ts'

const parse = json({ limit: limits.registrationBodyBytes, inflate: false })

/** The JSON object that was sent. @throws Failure `invalid_request`, `too_large` */
export async function readBody(request: Request): Promise<Given> {
  await new Promise<void>((resolve, reject) => {
    // What is wrong is not repeated: the parser's messages hold what was sent.
    parse(request, request.res!, (error?: unknown) => (error === undefined ? resolve() : reject(refusedBody(error))))
  })
  const body: unknown = request.body
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Given
  throw refusedBody()
}

function refusedBody(thrown?: unknown): Failure {
  const { status } = Object(thrown) as { status?: number }
  return status === 413
    ? new Failure('too_large', `the body may have ${limits.registrationBodyBytes} bytes`)
    : new Failure('invalid_request', 'send a JSON object as application/json, uncompressed')
}
