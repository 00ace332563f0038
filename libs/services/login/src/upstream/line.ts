import {
  createRemoteKeys,
  remoteRequest,
  type Breaker,
  type BreakerState,
  type RemoteAnswer,
  type RemoteBounds,
  type RemoteKeySource,
  type RemoteRequest,
  type Verdict,
} from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import type { CustomFetch } from 'openid-client'
import { limits } from './limits.ts'
import { nameOf, type UpstreamProvider } from './provider.ts'
import { objectOf, readJson, readTokenAnswer, type Members } from './answer.ts'
import { failureOf, isFault, silent } from './trouble.ts'

export interface LineOptions {
  readonly reach: { readonly allowLoopback: boolean }
  readonly now: () => Millis
  readonly breaker: Breaker
  /** Of `ca`. */
  readonly pem: (file: string) => string | Buffer
}

export interface LineStats {
  /** Being begun or finished now. */
  readonly inFlight: number
  readonly tokenCalls: number
  readonly otherCalls: number
  readonly breaker: BreakerState
}

/** All that is asked of one provider: bounded in time, bytes and number, so that it harms neither us nor another. */
export class Line {
  readonly name: string
  readonly #breaker: Breaker
  readonly #timeoutMs: number
  readonly #bounds: RemoteBounds
  readonly #keys: ReturnType<typeof createRemoteKeys>
  #inFlight = 0
  #tokenCalls = 0
  #otherCalls = 0

  constructor(provider: UpstreamProvider, { reach, now, breaker, pem }: LineOptions) {
    const { ca, timeoutMs } = provider
    this.name = nameOf(provider)
    this.#breaker = breaker
    this.#timeoutMs = timeoutMs
    this.#bounds = {
      allowLoopback: reach.allowLoopback,
      // Whoever configures a provider may have it in a network of their own.
      allowPrivate: true,
      timeoutMs,
      maxBytes: limits.answerBytes,
      ...(ca !== undefined && { ca: pem(ca) }),
    }
    this.#keys = createRemoteKeys({ ...this.#bounds, now })
  }

  stats(): LineStats {
    const state = this.#breaker.state()
    return { inFlight: this.#inFlight, tokenCalls: this.#tokenCalls, otherCalls: this.#otherCalls, breaker: state }
  }

  /**
   * Does the work for one person, unless many are waiting already. The person is told within the bound; the work counts until
   * the last of its requests has ended.
   * @throws Failure
   */
  async serve<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#inFlight >= limits.signInsAtOnce) {
      throw new Failure('too_many_requests', `Many people are signing in with ${this.name}. Try again in a moment.`, {
        retryAfterSeconds: limits.retryAfterSeconds,
      })
    }
    this.#inFlight++
    const working = work().finally(() => this.#inFlight--)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const tell = () => reject(silent(this.name, new Error('its answers took too long together')))
      timer = setTimeout(tell, limits.longestTimeouts * this.#timeoutMs)
    })
    try {
      return await Promise.race([working, late])
    } catch (thrown) {
      throw failureOf(thrown, this.name)
    } finally {
      clearTimeout(timer)
      working.catch(() => undefined)
    }
  }

  /** @throws Failure `unavailable` while the provider counts as down */
  checkOpen(): void {
    if (this.#breaker.isRefusing()) throw silent(this.name, new Error('the breaker is open'))
  }

  /** Does what needs the provider, unless it counts as down; faults of its are counted, not what is wrong with one sign-in. */
  async attempt<Value>(work: () => Promise<Value>): Promise<Value> {
    this.checkOpen()
    const verdict = await this.#breaker.execute(async (): Promise<Verdict<Value>> => {
      try {
        return { value: await work() }
      } catch (thrown) {
        return { failure: failureOf(thrown, this.name), isFault: isFault(thrown) }
      }
    })
    if ('value' in verdict) return verdict.value
    throw verdict.failure
  }

  /**
   * For openid-client, and one sign-in: a code is good for one use (RFC 6749 section 4.1.2), so there is one call to the token
   * endpoint and no second.
   * @param pick what openid-client is to see of the tokens
   */
  fetchOnce(pick: (tokens: Members) => Members = (tokens) => tokens): CustomFetch {
    let isSpent = false
    return async (url, { method, headers, body }) => {
      if (method !== 'POST') {
        return Response.json(objectOf(readJson(await this.#ask({ method: 'GET', url, headers }), this.name), this.name))
      }
      if (isSpent) throw new Error('a second token call in one sign-in')
      isSpent = true
      this.#tokenCalls++
      const answer = await this.#ask({ method: 'POST', url, headers, body: String(body) })
      const { status, document } = readTokenAnswer(answer, this.name)
      return Response.json(status === 200 ? pick(document) : document, { status })
    }
  }

  /**
   * JSON at a URL, asked for as the bearer of an access token (RFC 6750 section 2.1) or as nobody.
   * @throws Failure `unavailable`
   */
  async json(url: string, accessToken?: string): Promise<unknown> {
    const headers = {
      accept: 'application/json',
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
    }
    return readJson(await this.#ask({ method: 'GET', url, headers }), this.name)
  }

  /** The keys at a URL. */
  keysAt(url: string): RemoteKeySource {
    return this.#keys.keysFor(url)
  }

  async #ask(request: Pick<RemoteRequest, 'method' | 'url' | 'headers' | 'body'>): Promise<RemoteAnswer> {
    if (request.method === 'GET') this.#otherCalls++
    try {
      return await remoteRequest({ ...this.#bounds, ...request })
    } catch (cause) {
      // Also where it names a URL that may not be asked.
      throw silent(this.name, cause)
    }
  }
}
