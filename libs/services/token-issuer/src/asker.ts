import type { HttpRequest } from '@countersign/chassis'
import { ActorKind } from '@countersign/contracts/events'
import type { Asker } from '@countersign/tokens'

/** A client's request, as its events tell it. */
export const clientAsker = (id: string, { address, userAgent, traceparent }: HttpRequest): Asker => ({
  kind: ActorKind.CLIENT,
  id,
  address,
  userAgent,
  traceparent,
})
