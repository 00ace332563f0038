import { afterEach, describe } from '@jest/globals'
import type { Bus } from '../port.ts'
import { closing } from './closing.ts'
import type { Ends } from './collector.ts'
import { arriving, sharing } from './consuming.ts'
import { failing } from './failing.ts'
import { acknowledging, asking, unanswered } from './journal-talk.ts'
import { announcing, surveying } from './telling.ts'

/** What every bus keeps, whatever carries it. */
export function busConformance(name: string, open: () => Promise<Ends>): void {
  const opened = new Set<Bus>()
  const openEnds = async () => {
    const ends = await open()
    opened.add(ends.near).add(ends.far)
    return ends
  }
  afterEach(async () => {
    await Promise.all([...opened].map((bus) => bus.close()))
    opened.clear()
  })
  describe(`${name}: publishing and consuming`, () => arriving(openEnds))
  describe(`${name}: several consumers`, () => sharing(openEnds))
  describe(`${name}: a consumer that fails`, () => failing(openEnds))
  describe(`${name}: acknowledgements`, () => acknowledging(openEnds))
  describe(`${name}: questions`, () => asking(openEnds))
  describe(`${name}: questions that nobody answers`, () => unanswered(openEnds))
  describe(`${name}: announcements`, () => announcing(openEnds))
  describe(`${name}: surveys`, () => surveying(openEnds))
  describe(`${name}: closing`, () => closing(openEnds))
}
