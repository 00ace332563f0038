import { afterAll, beforeAll, describe, test } from '@jest/globals'
import type { Library } from './application.ts'
import { codeJourneys } from './journeys/codes.ts'
import { deviceJourneys } from './journeys/devices.ts'
import { dpopJourneys, nonceJourneys } from './journeys/dpop.ts'
import { logoutJourneys } from './journeys/logout.ts'
import { machineJourneys } from './journeys/machines.ts'
import { worldOf, type Journey } from './journeys/journey.ts'
import { withOauth4webapi } from './oauth4webapi.ts'
import { withOpenidClient } from './openid-client.ts'
import { startSetting, type Setting, type StackName } from './setting.ts'

const libraries: readonly (readonly [string, Library])[] = [
  ['openid-client', withOpenidClient],
  ['oauth4webapi', withOauth4webapi],
]
const all = [...codeJourneys, ...machineJourneys, ...deviceJourneys, ...dpopJourneys, ...logoutJourneys]
const asItComes = ''
const withNonces = 'authorization: { dpop_nonces: true }'

const stacks: readonly (readonly [string, StackName, string, readonly Journey[]])[] = [
  ['embedded', 'embedded', asItComes, all],
  ['embedded, asking for DPoP nonces', 'embedded', withNonces, [...dpopJourneys, ...nonceJourneys]],
  ['on four processes', 'four processes', asItComes, all],
  ['on four processes, asking for DPoP nonces', 'four processes', withNonces, [...dpopJourneys, ...nonceJourneys]],
]

describe.each(stacks)('Countersign %s', (_, stack, config, journeys) => {
  let setting: Setting
  beforeAll(async () => (setting = await startSetting(stack, config)), 120_000)
  afterAll(() => setting?.stop())

  describe.each(libraries)('an application with %s', (_, library) => {
    test.each(journeys)('%s', (_, go) => go(worldOf(setting, library)), 60_000)
  })
})
