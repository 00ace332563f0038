import { createHmac, type KeyObject } from 'node:crypto'
import { Failure, type Millis } from '@countersign/contracts'
import { DeviceRecord, DeviceState, TokenKind, UserCodeRecord } from '@countersign/contracts/records'
import { keyOf, type Key, type Store } from '@countersign/store'
import {
  beginCommit,
  limits as tokenLimits,
  tell,
  scopesOf,
  tokenSecretBytes,
  type Client,
  type Deciding,
  type TokenFormat,
  type Versioned,
} from '@countersign/tokens'
import { decideAndCommit } from '../decide.ts'
import { limits } from '../limits.ts'

/** Devices wait in one place: which partition their grant will be in is not known yet. */
export const devicePartition = 0

export const deviceKey = (digest: string): Key => keyOf(devicePartition, `device/${digest}`)

/** RFC 8628 section 6.1: no vowels, so that no words come about, and nothing that looks alike. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

/** A user code as it was typed: case, spaces and dashes do not matter. Undefined for what is none. */
export function normalizeUserCode(typed: string): string | undefined {
  if (typed.length > 4 * limits.userCodeLetters) return undefined
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  return code.length === limits.userCodeLetters && [...code].every((letter) => letters.includes(letter))
    ? code
    : undefined
}

/** A user code as devices show it. */
export const shownUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

export interface DeviceCodesOptions {
  store: Store
  format: TokenFormat
  /** Hides user codes in the store: there are few enough to try them all. */
  userCodeKey: KeyObject
  deviceCodeLifetimeMs: Millis
  now: () => Millis
  randomBytes: (bytes: number) => Uint8Array
}

/** A device that waits, as it is in the store. */
export interface Waiting extends Versioned<DeviceRecord> {
  readonly key: Key
  readonly userCodeKey: Key
}

const over = () => new Failure('not_found', 'this code is unknown or has expired: look at the device for a new one')

/** Devices that wait to be let in (RFC 8628). */
export class DeviceCodes {
  readonly #options: DeviceCodesOptions

  constructor(options: DeviceCodesOptions) {
    this.#options = options
  }

  async begin(
    client: Client,
    terms: { scope: string; audience: readonly string[]; dpopJkt: string },
    deciding: () => Deciding,
  ): Promise<{ deviceCode: string; userCode: string; expiresIn: number; interval: number }> {
    const { store, format, deviceCodeLifetimeMs, randomBytes } = this.#options
    let userCode = ''
    let deviceCode = ''
    await decideAndCommit(store, () => {
      const by = deciding()
      userCode = this.#newUserCode()
      const { token, digest } = format.mint(TokenKind.DEVICE_CODE, devicePartition, randomBytes(tokenSecretBytes))
      deviceCode = token
      const expiresAt = by.now + deviceCodeLifetimeMs
      const record: DeviceRecord = {
        ...DeviceRecord.decode(new Uint8Array()),
        ...terms,
        clientId: client.id,
        audience: [...terms.audience],
        createdAt: by.now,
        expiresAt,
        interval: tokenLimits.devicePollSeconds.first,
        state: DeviceState.WAITING,
      }
      const key = this.#userCodeKey(userCode)
      const place = UserCodeRecord.encode({ partition: devicePartition, deviceDigest: digest, expiresAt }).finish()
      const commit = beginCommit(by, devicePartition)
      commit.checks.push({ key, version: null })
      commit.puts.push({ key, value: place, expiresAt })
      commit.puts.push({ key: deviceKey(digest), value: DeviceRecord.encode(record).finish(), expiresAt, links: [key] })
      const told = { clientId: client.id, scopes: scopesOf(terms.scope) }
      tell(commit, by, { type: 'device.waiting', ...told })
      return { commit }
    })
    const { first: interval } = tokenLimits.devicePollSeconds
    return { deviceCode, userCode: shownUserCode(userCode), expiresIn: deviceCodeLifetimeMs / 1_000, interval }
  }

  /** @throws Failure `not_found` for a code that is unknown, expired or was decided about */
  async byUserCode(typed: string): Promise<Waiting> {
    const { store, now } = this.#options
    const code = normalizeUserCode(typed)
    if (code === undefined) throw over()
    const userCodeKey = this.#userCodeKey(code)
    const [place] = await store.get([userCodeKey])
    if (!place) throw over()
    const key = deviceKey(UserCodeRecord.decode(place.value).deviceDigest)
    const [entry] = await store.get([key])
    const record = entry && DeviceRecord.decode(entry.value)
    if (!record || record.state !== DeviceState.WAITING || record.expiresAt <= now()) throw over()
    return { key, userCodeKey, record, version: entry.version }
  }

  #userCodeKey(code: string): Key {
    const digest = createHmac('sha256', this.#options.userCodeKey).update(code).digest('base64url')
    return keyOf(devicePartition, `user-code/${digest}`)
  }

  #newUserCode(): string {
    let code = ''
    // Bytes over the largest multiple of 20 would make some letters likelier than others.
    while (code.length < limits.userCodeLetters) {
      for (const byte of this.#options.randomBytes(16)) {
        if (byte < 240 && code.length < limits.userCodeLetters) code += letters[byte % letters.length]
      }
    }
    return code
  }
}
