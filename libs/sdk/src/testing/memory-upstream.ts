import { Failure } from '@countersign/contracts'
import type {
  IntrospectRequest,
  IntrospectResponse,
  Outcome,
  WatchRequest,
  WatchResponse,
} from '@countersign/contracts/introspection'
import type { Fact } from '@countersign/contracts'
import { TestLog } from '@countersign/leased-cache/testing'
import type { Upstream, WatchListener, WatchStream } from '../upstream.ts'

/** A message of questions, to be answered or failed. */
export interface Message {
  readonly questions: IntrospectRequest[]
  answer(outcomes?: Outcome[]): void
  fail(failure?: Failure): void
}

export class MemoryStream implements WatchStream {
  readonly said: WatchRequest[] = []
  isClosed = false
  readonly #listener: WatchListener
  readonly #log: TestLog

  constructor(listener: WatchListener, log: TestLog) {
    this.#listener = listener
    this.#log = log
  }

  /** What was said of one kind. */
  all<Kind extends NonNullable<WatchRequest['say']>['$case']>(kind: Kind) {
    type Said = Extract<NonNullable<WatchRequest['say']>, { $case: Kind }>
    return this.said.flatMap(({ say }) => (say?.$case === kind ? [say.value as Said['value']] : []))
  }

  send(request: WatchRequest): void {
    this.said.push(request)
  }

  close(): void {
    this.isClosed = true
  }

  /** Answers the last probe. */
  prove(): void {
    const { nonce, places } = this.all('probe').at(-1)!
    const log = this.#log.after(places)
    const facts = log.facts.map(({ fact, tip }) => ({ ...fact, tip }))
    this.tell({ say: { $case: 'answer', value: { nonce, logs: [{ ...log, facts }] } } })
  }

  /** Commits facts, and pushes them. */
  push(...facts: Fact[]): void {
    const push = this.#log.commit(...facts)
    this.tell({ say: { $case: 'push', value: { ...push, facts: facts.map((fact) => ({ ...fact, tip: '' })) } } })
  }

  tell(response: WatchResponse): void {
    this.#listener.onResponse(response)
  }

  lose(why = 'gone'): void {
    this.#listener.onClosed(new Failure('unavailable', why))
  }
}

/** The service, in memory: knows some tokens, and answers at once unless it is told to wait. */
export class MemoryUpstream implements Upstream {
  readonly log: TestLog
  readonly tokens = new Map<string, IntrospectResponse>()
  readonly messages: Message[] = []
  readonly streams: MemoryStream[] = []
  isAnswering = true
  isRefusing = false
  isClosed = false

  constructor(log = new TestLog()) {
    this.log = log
  }

  get stream(): MemoryStream {
    return this.streams.at(-1)!
  }

  ask(questions: IntrospectRequest[]): Promise<Outcome[]> {
    return new Promise((resolve, reject) => {
      const answer = (outcomes = questions.map(({ token }) => this.outcomeOf(token))) => resolve(outcomes)
      const fail = (failure = new Failure('unavailable', 'not now')) => reject(failure)
      this.messages.push({ questions, answer, fail })
      if (this.isAnswering) answer()
    })
  }

  watch(listener: WatchListener): WatchStream {
    if (this.isRefusing) throw new Failure('unavailable', 'refused')
    const stream = new MemoryStream(listener, this.log)
    this.streams.push(stream)
    return stream
  }

  close(): void {
    this.isClosed = true
  }

  outcomeOf(token: string): Outcome {
    return { outcome: { $case: 'response', value: this.tokens.get(token) ?? inactive } }
  }
}

export const inactive: IntrospectResponse = {
  active: false,
  scope: '',
  clientId: '',
  username: '',
  tokenType: '',
  exp: 0,
  iat: 0,
  nbf: 0,
  sub: '',
  aud: [],
  iss: '',
  jti: '',
  revokedBy: undefined,
  roles: [],
  cnf: undefined,
  actors: [],
  attributes: [],
}
