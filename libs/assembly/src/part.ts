import type { Route } from '@countersign/chassis'
import type { RpcService } from '@countersign/rpc'
import type { Router } from 'express'

/** A service, put together and ready to be joined with others in one process. */
export interface Part {
  routes: Route[]
  routers: Router[]
  rpc: RpcService[]
  /** What must hold before requests are welcome, by name; each rejects with why it does not. */
  ready: Record<string, () => Promise<void>>
  /** After a change of the configuration. */
  reload?(): Promise<void>
  /** First of all: ends what would go on for ever, such as streams. */
  drain?(): Promise<void>
  /** In order, once nothing is asked any more. */
  close(): Promise<void>
}
