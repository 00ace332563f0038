import { afterEach } from '@jest/globals'

/** Closes or stops what a test hands it, last first, when the test is over, also when it failed: else nothing would end. */
export function cleanup(): <T extends { close?: () => Promise<unknown>; stop?: () => Promise<unknown> }>(
  thing: T,
) => T {
  const things: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const end of things.splice(0).reverse()) await end()
  })
  return (thing) => {
    things.push(async () => (await thing.stop?.(), await thing.close?.()))
    return thing
  }
}
