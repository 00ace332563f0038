import { Agent, request } from 'node:http'
import { limits } from './limits.ts'

export interface HttpAnswer {
  status: number
  body: string
  /** Bytes on the wire, status line and headers included. */
  wireBytes: number
}

/** Status line, headers and body as Node's HTTP/1.1 servers write them. */
function wireBytesOf(statusMessage: string, rawHeaders: readonly string[], body: string): number {
  const headerBytes = rawHeaders.reduce((sum, part) => sum + part.length + 2, 0) // ': ' or CRLF after each part
  return `HTTP/1.1 200 ${statusMessage}\r\n`.length + headerBytes + 2 + Buffer.byteLength(body)
}

/** Posts one form over a kept connection, as the generator does. @throws Error when there is no answer in time. */
export async function postForm(url: string, authorization: string, form: string): Promise<HttpAnswer> {
  const headers = {
    authorization,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(form),
  }
  const agent = new Agent({ keepAlive: true })
  try {
    return await new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(limits.answerMs)
      const question = request(url, { method: 'POST', headers, agent, signal }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('error', reject).on('end', () => {
          // Generators count bytes on the wire; what chunks add to them cannot be seen from here.
          if (response.headers['content-length'] === undefined) return reject(new Error(`${url}: no content-length`))
          const { statusCode = 0, statusMessage = '', rawHeaders } = response
          resolve({ status: statusCode, body, wireBytes: wireBytesOf(statusMessage, rawHeaders, body) })
        })
      })
      question.on('error', reject).end(form)
    })
  } finally {
    agent.destroy()
  }
}

/** RFC 6749 section 2.3.1. */
export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
