import { asFailure, Failure } from '@countersign/contracts'
import type { IntrospectRequest, IntrospectResponse, Outcome } from '@countersign/contracts/introspection'
import type { Clock } from '@countersign/leased-cache'
import { limits } from './limits.ts'
import type { Upstream } from './upstream.ts'

/** A question and, once it is known, its answer. */
interface Question {
  /** Made at the moment it is put, not before: it says how much the answer must know. */
  readonly prepare: () => IntrospectRequest
  /** By the monotonic clock. */
  readonly endMs: number
  attempts: number
  settle(response: IntrospectResponse): void
  fail(failure: Failure): void
}

export interface QuestionsOptions {
  upstream: Upstream
  clock: Clock
  random: () => number
}

/** Puts questions, those of one turn together, and again where that does no harm. */
export class Questions {
  readonly #options: QuestionsOptions
  #waiting: Question[] = []
  #open = 0
  #agains: number = limits.mostAgains
  readonly counts = { questions: 0, messages: 0, failures: 0 }

  constructor(options: QuestionsOptions) {
    this.#options = options
  }

  /**
   * @param endMs when there has to be an answer, by the monotonic clock
   * @throws Failure when there is none by then
   */
  ask(prepare: () => IntrospectRequest, endMs: number): Promise<IntrospectResponse> {
    if (this.#open >= limits.openQuestions) {
      return Promise.reject(new Failure('unavailable', 'too many questions are open', { retryAfterSeconds: 1 }))
    }
    this.counts.questions++
    this.#open++
    this.#agains = Math.min(this.#agains + limits.againsPerQuestion, limits.mostAgains)
    const { clock } = this.#options
    return new Promise<IntrospectResponse>((resolve, reject) => {
      const late = () => question.fail(new Failure('deadline_exceeded', 'Countersign did not answer in time'))
      const cancel = clock.after(Math.max(0, endMs - clock.monotonicMs()), late)
      let isOpen = true
      const close = (): boolean => {
        if (!isOpen) return false
        isOpen = false
        this.#open--
        cancel()
        return true
      }
      const question: Question = {
        prepare,
        endMs,
        attempts: 0,
        settle: (response) => close() && resolve(response),
        fail: (failure) => {
          if (!close()) return
          this.counts.failures++
          reject(failure)
        },
      }
      this.#put(question)
    })
  }

  #put(question: Question): void {
    if (this.#waiting.push(question) === 1) this.#options.clock.soon(() => this.#flush())
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let from = 0; from < waiting.length; from += limits.questionsPerMessage) {
      void this.#send(waiting.slice(from, from + limits.questionsPerMessage))
    }
  }

  async #send(questions: Question[]): Promise<void> {
    this.counts.messages++
    for (const question of questions) question.attempts++
    let outcomes: Outcome[]
    try {
      outcomes = await this.#options.upstream.ask(questions.map(({ prepare }) => prepare()))
    } catch (thrown) {
      const failure = asFailure(thrown)
      for (const question of questions) this.#failed(question, failure)
      return
    }
    questions.forEach((question, n) => {
      const outcome = outcomes[n]?.outcome
      if (outcome?.$case === 'response') question.settle(outcome.value)
      else this.#failed(question, failureOf(outcome?.value))
    })
  }

  /** Asking does no harm, so what was merely not answered is asked again, within the deadline. */
  #failed(question: Question, failure: Failure): void {
    const { clock, random } = this.#options
    const waitMs = random() * limits.againMs * 2 ** question.attempts
    const isInTime = clock.monotonicMs() + waitMs < question.endMs
    const isRefused = failure.code !== 'unavailable' || failure.retryAfterSeconds !== undefined
    if (isRefused || question.attempts >= limits.attempts || !isInTime || this.#agains < 1)
      return question.fail(failure)
    this.#agains--
    clock.after(waitMs, () => this.#put(question))
  }
}

const codes: ReadonlySet<string> = new Set(['invalid_request', 'invalid_client', 'access_denied', 'too_many_requests'])

function failureOf(failed: { code: string; message: string } | undefined): Failure {
  const code = failed && codes.has(failed.code) ? (failed.code as 'too_many_requests') : 'unavailable'
  return new Failure(code, failed?.message ?? 'the question was not answered')
}
