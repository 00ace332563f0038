import { limits } from './limits.ts'
import { upkeepSigningKeys, type UpkeepOptions } from './signing-keys.ts'

export interface RotationOptions extends UpkeepOptions {
  clock: { after(ms: number, call: () => void): () => void }
  log: { warn(fields: object, message: string): void }
}

export interface Rotation {
  /** Nothing begins from here on; what has begun ends. */
  stop(): Promise<void>
}

/** Looks after the signing keys again and again. Every replica may: what is due is done once. */
export function startRotation(options: RotationOptions): Rotation {
  const { clock, log } = options
  let isStopped = false
  let running = Promise.resolve()
  let cancel = (): void => undefined

  async function look(): Promise<void> {
    try {
      await upkeepSigningKeys(options)
    } catch (err) {
      log.warn({ err }, 'the signing keys could not be looked after')
    }
    if (!isStopped) schedule()
  }
  const schedule = (): void => {
    cancel = clock.after(limits.checkEveryMs, () => (running = look()))
  }

  schedule()
  return {
    async stop() {
      isStopped = true
      cancel()
      await running
    },
  }
}
