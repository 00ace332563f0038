import { Failure } from '@countersign/contracts'
import { readPath } from './path.ts'

/** The request that a gateway asks about, as it was made. */
export interface Original {
  readonly method: string
  /** In lower case, without port. */
  readonly host: string
  /** Decoded. */
  readonly path: string
}

/** Every value that a header came with; its name in lower case. */
export type HeaderValues = (name: string) => readonly string[]

const malformed = (what: string) => new Failure('access_denied', `the gateway does not say ${what}, or not in one way`)

/** Methods in other letters are the same one to some servers (RFC 9110 section 9.1: they are not). */
const methodSyntax = /^[A-Z][A-Z-]{0,39}$/
const hostSyntax = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::\d{1,5})?$/
const urlSyntax = /^https?:\/\/([^/?#]*)(\/.*)$/i

function hostOf(text: string): string | undefined {
  return hostSyntax.exec(text.toLowerCase())?.[1]?.replace(/(?<!^)\.$/, '')
}

/**
 * The one thing that all of these say. A gateway sets its own headers and passes on what a client sent besides, so that headers
 * which contradict one another are a client's doing.
 */
function agreed(what: string, said: readonly (string | undefined)[]): string {
  const [first, ...others] = said
  if (first === undefined || others.some((other) => other !== first)) throw malformed(what)
  return first
}

/**
 * Reads what Traefik and Caddy say (`X-Forwarded-Method`, `-Host`, `-Uri`), and what nginx is told to say
 * (`X-Original-Method`, and `X-Original-URL`, or `X-Original-URI` with `X-Forwarded-Host`). To be believed of trusted proxies alone.
 * @throws Failure `access_denied` when it is not all there, malformed or contradicts itself; `invalid_request` for a path that
 * can be read in two ways
 */
export function originalOf(valuesOf: HeaderValues): Original {
  const urls = valuesOf('x-original-url').map((url) => urlSyntax.exec(url) ?? [])
  const methods = [...valuesOf('x-forwarded-method'), ...valuesOf('x-original-method')]
  const hosts = [...valuesOf('x-forwarded-host'), ...urls.map(([, host]) => host ?? '')]
  const targets = [
    ...valuesOf('x-forwarded-uri'),
    ...valuesOf('x-original-uri'),
    ...urls.map(([, , target]) => target ?? ''),
  ]
  const method = agreed('which method was asked for', methods)
  if (!methodSyntax.test(method)) throw malformed('which method was asked for')
  const read = readPath(agreed('which path was asked for', targets))
  if (read === 'malformed') throw malformed('which path was asked for')
  const host = agreed('which host was asked for', hosts.map(hostOf))
  if (read === 'ambiguous') throw new Failure('invalid_request', 'the path can be read in more than one way')
  return { method, host, path: read.path }
}
