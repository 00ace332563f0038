import { createRelay, Pending, publishing, silentLog, type Relay } from '@countersign/bus'
import type { HttpAnswer, HttpRequest } from '@countersign/chassis'
import { asFailure } from '@countersign/contracts'
import { createTokenIssuer, type TokenIssuer } from '@countersign/service-token-issuer'
import type { Store } from '@countersign/store'
import { limits } from './limits.ts'
import type { Machine } from './machine.ts'
import { issuerSettings, postOf } from './parties.ts'
import type { Setting } from './setting.ts'

/** A process of the token issuer: the real one, over the publishing store, with the real relay. */
export class Issuer {
  readonly #setting: Setting
  readonly machine: Machine
  store: Store
  #relay: Relay
  #issuer: TokenIssuer | undefined

  constructor(setting: Setting, name: string) {
    this.#setting = setting
    this.machine = setting.machine(name)
    ;[this.store, this.#relay] = this.#start()
  }

  /** It runs, and has read what it needs. */
  get isReady(): boolean {
    return this.machine.isUp && this.#issuer !== undefined
  }

  crash(): void {
    this.tellFigures()
    this.machine.crash()
    this.#issuer = undefined
  }

  restart(): void {
    this.machine.restart()
    ;[this.store, this.#relay] = this.#start()
  }

  tellFigures(): void {
    this.#setting.checker.figures.republished += this.#relay.stats().republished
  }

  /** What it answers a client that posts a form. */
  async post(clientId: string, path: string, form: Record<string, string>): Promise<HttpAnswer> {
    const route = this.#issuer!.routes.find((each) => each.path === path)!
    const request: HttpRequest = postOf(clientId, path, form)
    try {
      return await route.methods.POST!(request)
    } catch (thrown) {
      return route.onFailure(asFailure(thrown), request)
    }
  }

  #start(): [Store, Relay] {
    const { bus: worldBus, partitions, random } = this.#setting
    const { machine } = this
    const bus = worldBus.of(machine)
    const pending = new Pending()
    const store = publishing(this.#setting.storeOf(machine), bus, pending)
    const { clock } = machine
    const relay = createRelay({
      store,
      bus,
      partitions,
      pending,
      now: clock.now,
      log: silentLog,
      pace: {
        pause: (ms, signal) =>
          new Promise((resolve) => {
            if (signal.aborted) return resolve()
            clock.after(ms, resolve)
          }),
        random: random.next,
      },
    })
    relay.start()
    void this.#open(store)
    return [store, relay]
  }

  async #open(store: Store): Promise<void> {
    const { parties, partitions, random } = this.#setting
    const { clock } = this.machine
    for (;;) {
      try {
        this.#issuer = await createTokenIssuer({
          ...issuerSettings(parties),
          store,
          partitions,
          now: clock.now,
          commitId: () => random.hex(32),
          randomBytes: (count) => random.bytes(count),
        })
        return
      } catch {
        await new Promise<void>((resolve) => clock.after(limits.startAgainMs, resolve))
      }
    }
  }
}
