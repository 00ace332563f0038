import type { Upstreams } from '../upstream/upstreams.ts'

/** What people know a provider by; one that is not offered any more has its id alone. */
export function providerNames(upstreams: Pick<Upstreams, 'list'>): (id: string) => string {
  const names = new Map(upstreams.list().map(({ id, name }) => [id, name]))
  return (id) => names.get(id) ?? id
}
