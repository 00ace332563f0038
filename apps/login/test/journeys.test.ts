import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { applicationJourneys } from './journeys/applications.ts'
import { endingJourneys } from './journeys/endings.ts'
import { localJourneys } from './journeys/local.ts'
import { passkeyJourneys } from './journeys/passkey.ts'
import { providerJourneys } from './journeys/providers.ts'
import { Chromium } from './testing/chromium.ts'
import { Inspection } from './testing/inspection.ts'
import { setUp, World, type Journey } from './testing/journey.ts'
import { startSetting, type Setting, type StackName } from './testing/setting.ts'

const all: readonly Journey[] = [
  ...providerJourneys,
  ...localJourneys,
  ...passkeyJourneys,
  ...applicationJourneys,
  ...endingJourneys,
]
const everybody = ['with scripts', true, all] as const
const withoutScripts = ['without scripts', false, all.filter(({ needsScripts }) => !needsScripts)] as const

type Visitors = readonly [name: string, scripts: boolean, journeys: readonly Journey[]]
const stacks: readonly (readonly [StackName, readonly Visitors[]])[] = [
  ['embedded', [everybody, withoutScripts]],
  ['four processes', [everybody]],
]

describe.each(stacks)('in Chromium, %s', (stack, visitors) => {
  let setting: Setting
  let chromium: Chromium
  /** A folder for pictures of all pages; none are taken unless it is named. */
  const inspection = new Inspection(stack === 'embedded' ? process.env.PAGE_PICTURES : undefined)
  beforeAll(async () => {
    setting = await startSetting(stack)
    chromium = await Chromium.start()
    const world = new World(setting, chromium, inspection, true)
    await setUp(world)
    expect(await world.leave()).toEqual([])
  }, 240_000)
  afterAll(async () => {
    await chromium?.stop()
    await setting?.stop()
  }, 60_000)

  describe.each(visitors)('%s', (_, scripts, journeys) => {
    let world: World
    beforeEach(() => void (world = new World(setting, chromium, inspection, scripts)))
    afterEach(async () => expect(await world.leave()).toEqual([]))

    test.each(journeys)('$name', ({ go }) => go(world), 240_000)
  })

  test('all of these pages can be used by everybody', () => {
    expect(inspection.findings).toEqual([])
  })
})
