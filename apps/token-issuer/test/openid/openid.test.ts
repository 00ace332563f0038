import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@countersign/servers'
import { Browser } from './browser.ts'
import { Callback } from './callback.ts'
import { claimsModules } from './claims-modules.ts'
import { discoveryModule } from './discovery-module.ts'
import { flowModules } from './flow-modules.ts'
import { personModules } from './person-modules.ts'
import { startProvider, type Provider } from './provider.ts'
import { refusalModules } from './refusal-modules.ts'
import { Trial, type Module, type Outcome } from './trial.ts'

const basic: Readonly<Record<string, Module>> = {
  ...flowModules,
  ...claimsModules,
  ...personModules,
  ...refusalModules,
}
const configuration = 'oidcc-discovery-endpoint-verification'
/** It waits for so long that it runs beside the others. */
const slow = 'oidcc-codereuse-30seconds'

/** The table of the documentation: what it says came of each module. */
const told = new Map(
  readFileSync(join(repositoryRoot, 'docs/openid-conformance.md'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, , outcome] = line.split('|').map((cell) => cell.trim())
      return name?.startsWith('`oidcc-') ? [[name.slice(1, -1), outcome] as const] : []
    }),
)

describe('the checks of the OpenID Foundation’s plans, each under its module’s name', () => {
  let browser: Browser
  let callback: Callback
  let provider: Provider
  let slowOutcome: Promise<Outcome>

  beforeAll(async () => {
    callback = await Callback.start()
    provider = await startProvider(callback.redirectUri)
    browser = await Browser.start()
    slowOutcome = outcomeOf(basic[slow]!)
    slowOutcome.catch(() => undefined)
  }, 60_000)
  afterAll(async () => {
    await slowOutcome?.catch(() => undefined)
    await Promise.all([browser?.stop(), provider?.stop(), callback?.stop()])
  }, 60_000)

  async function outcomeOf(module: Module): Promise<Outcome> {
    const person = await browser.person(provider.issuer)
    try {
      const trial = new Trial(provider, callback, person)
      return (await module(trial)) ?? trial.outcome
    } finally {
      await person.close()
    }
  }

  describe('Basic OP', () => {
    test.each(Object.keys(basic).filter((name) => name !== slow))('%s', async (name) => {
      expect(await outcomeOf(basic[name]!)).toBe(told.get(name))
    })

    test(
      slow,
      async () => {
        expect(await slowOutcome).toBe(told.get(slow))
      },
      60_000,
    )
  })

  describe('Config OP', () => {
    test(configuration, async () => {
      expect(await outcomeOf(discoveryModule)).toBe(told.get(configuration))
    })
  })

  test('are all told of in the table, and nothing else is', () => {
    expect(Object.keys(basic)).toHaveLength(38)
    expect([...told.keys()].sort()).toEqual([...Object.keys(basic), configuration].sort())
  })
})
