import { Failure } from '@countersign/contracts'
import type { NatsOptions } from './nats/options.ts'
import type { Bus } from './port.ts'

export interface BusOptions extends Omit<NatsOptions, 'servers'> {
  /** `in-process`, or NATS servers separated by commas: `nats://a,b:4223`, `tls://a`. */
  url: string
}

/** Opens the bus that the URL names; NATS is loaded only when asked for. @throws Failure `invalid_request` */
export async function openBus({ url, ...options }: BusOptions): Promise<Bus> {
  if (url === 'in-process') {
    const { createInProcessBus } = await import('./in-process.ts')
    return createInProcessBus(options)
  }
  const scheme = /^(nats|tls):\/\//.exec(url)?.[0]
  if (scheme === undefined) throw new Failure('invalid_request', 'a bus is in-process, nats://… or tls://…')
  const servers = url.split(',').map((server) => (server.includes('://') ? server : `${scheme}${server}`))
  const { openNatsBus } = await import('./nats/nats-bus.ts')
  return openNatsBus({ servers, ...options })
}
