import type { WatchRequest, WatchResponse, StreamIntrospectRequest } from '@countersign/contracts/introspection'
import {
  createIntrospectionService,
  type CallContext,
  type IntrospectionService,
} from '@countersign/service-introspection'
import { createKeyRing } from '@countersign/tokens/keys'
import { limits } from './limits.ts'
import type { Machine } from './machine.ts'
import type { End, Stream } from './network.ts'
import { authorizationOf, issuerUrl, resourceServer } from './parties.ts'
import type { Setting } from './setting.ts'

const authorization = authorizationOf(resourceServer)

/** What a call comes with; a stream's is one object. */
export const callContext = (peerAddress: string): CallContext => ({
  metadata: { get: (name) => (name === 'authorization' ? [authorization] : []) },
  peerAddress,
  peerCertificate: undefined,
})

/** A process of the introspection service: the real one, with its doors open to the network. */
export class Replica {
  readonly #setting: Setting
  readonly machine: Machine
  readonly maxStalenessMs: number
  service: IntrospectionService

  constructor(setting: Setting, name: string, maxStalenessMs: number) {
    this.#setting = setting
    this.machine = setting.machine(name)
    this.maxStalenessMs = maxStalenessMs
    this.service = this.#serve()
  }

  crash(): void {
    this.tellFigures()
    this.machine.crash()
  }

  restart(): void {
    this.machine.restart()
    this.service = this.#serve()
  }

  tellFigures(): void {
    const { hits, probes, facts, flushes, rollbacks } = this.service.stats()
    const { figures } = this.#setting.checker
    figures.serviceHits += hits
    figures.probes += probes
    figures.facts += facts
    figures.flushes += flushes
    figures.rollbacks += rollbacks
  }

  /** Somebody connects to watch. @returns its end of the stream, which sends to `caller` */
  watched(caller: Machine, onResponse: (response: WatchResponse) => void, onLost: () => void): Stream {
    const { calls } = this.service
    const { pushesOvertake, random } = this.#setting
    const end: End = {
      machine: this.machine,
      receive: (message) => {
        try {
          conversation.onRequest(message as WatchRequest)
        } catch {
          drop()
        }
      },
      lost: () => conversation.onClose(),
    }
    const drop = (): void => {
      conversation.onClose()
      stream.close(1)
    }
    const peer = {
      send: (response: WatchResponse) => {
        if (stream.unread(0) > limits.unreadMessages) drop()
        else if (response.say?.$case === 'push' && pushesOvertake)
          stream.send(0, response, random.exponential(limits.overtakenMs))
        else stream.send(0, response)
      },
      fail: drop,
    }
    const stream = this.#setting.stream(caller, this.machine, [
      { machine: caller, receive: (message) => onResponse(message as WatchResponse), lost: onLost },
      end,
    ])
    const conversation = calls.watch.converse(peer, callContext(caller.name))
    return stream
  }

  /** Somebody connects to ask. */
  asked(caller: Machine, onAnswer: (message: unknown) => void, onLost: () => void): Stream {
    const { calls } = this.service
    const context = callContext(caller.name)
    const stream: Stream = this.#setting.stream(caller, this.machine, [
      { machine: caller, receive: onAnswer, lost: onLost },
      {
        machine: this.machine,
        receive: (message) =>
          void calls.streamIntrospect(message as StreamIntrospectRequest, context).then(
            (response) => stream.send(0, response),
            () => stream.close(1),
          ),
        lost: () => undefined,
      },
    ])
    return stream
  }

  #serve(): IntrospectionService {
    const { parties, partitions, random, checker, bus, scheduler } = this.#setting
    const { machine } = this
    const store = this.#setting.storeOf(machine)
    return createIntrospectionService({
      reader: {
        follow: (key) => store.follow(key),
        facts: (...place) => store.facts(...place),
        // Nobody who asks here is ever disabled: what is read for that alone is no part of a world.
        get: async (keys) => keys.map(() => undefined),
      },
      keyRing: createKeyRing({ reader: store, sealKeys: parties.settings.sealKeys, now: machine.clock.now }),
      partitions,
      bus: bus.of(machine),
      maxStalenessMs: this.maxStalenessMs,
      cacheEntries: limits.cacheEntries.usual,
      replica: machine.name,
      clock: machine.clock,
      random: random.next,
      issuer: issuerUrl,
      authentication: parties.authentication,
      format: parties.format,
      scanning: { blockedSeconds: () => undefined, fail: () => undefined },
      log: {
        warn: () => undefined,
        error: (_fields, message) => {
          this.#setting.trace.tell(scheduler.nowMs, () => `${machine.name}: ${message}`)
          if (checker.wentBackMs === undefined) checker.violated('false_alarm', `${machine.name}: ${message}`)
        },
      },
    })
  }
}
