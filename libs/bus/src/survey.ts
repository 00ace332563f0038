import { reasonOf, type Log } from './log.ts'

export type SurveyHandler = (question: Uint8Array) => Uint8Array | undefined

/** What each of them answers; who raises does not. */
export function answersOf(handlers: Iterable<SurveyHandler>, question: Uint8Array, log: Log): Uint8Array[] {
  const answers: Uint8Array[] = []
  for (const handler of handlers) {
    try {
      const answer = handler(question)
      if (answer !== undefined) answers.push(answer)
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'a survey was not answered')
    }
  }
  return answers
}
