import type { Mistake } from '../pages/index.ts'
import type { WordKey } from '../speech.ts'
import type { Visit } from '../visit.ts'

/** Why a page is shown again, in the visitor's language. */
export const mistake = (
  visit: Visit,
  status: number,
  key: WordKey,
  values?: Readonly<Record<string, string | number>>,
): Mistake => ({ status, message: visit.paper().speech.say(key, values) })

type TooMany = 'mistake.too_many_attempts' | 'mistake.too_many_codes' | 'mistake.too_many_requests'

export function tooMany(visit: Visit, key: TooMany, seconds: number): Mistake {
  const wait = visit.paper().speech.duration(seconds * 1_000)
  return { ...mistake(visit, 429, key, { wait }), retryAfterSeconds: seconds }
}
