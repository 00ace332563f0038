import { readHostPort } from './address.ts'
import { checkClient } from './client-coherence.ts'
import { keyOf } from './problem.ts'
import { listAt, mapAt, mapsAt, textAt, type Raw } from './raw.ts'
import type { Report } from './references.ts'

/** What must fit together within a client, in registration, and between listeners. */
export function checkCoherence(raw: Raw, report: Report): void {
  for (const [client, index] of mapsAt(raw, 'clients')) {
    checkClient(client, (path, message) => report(['clients', index, ...path], message))
  }
  const registration = mapAt(raw, 'registration')
  if (registration.enabled === true && listAt(registration, 'initial_access_tokens').length === 0) {
    report(['registration', 'enabled'], 'needs initial_access_tokens, or anybody could register')
  }
  const firsts = new Map<string, string>()
  for (const name of ['http', 'grpc', 'management']) {
    const given = textAt(mapAt(raw, 'listen'), name)
    const port = readHostPort(given ?? '')?.port
    if (given === undefined || !port) continue
    const first = firsts.get(given)
    if (first !== undefined) report(['listen', name], `${given} is ${keyOf(['listen', first])} already`)
    firsts.set(given, first ?? name)
  }
}
