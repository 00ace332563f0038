import { Failure } from '@countersign/contracts'
import {
  ClientRecord,
  DeviceRecord,
  DeviceState,
  SessionRecord,
  SubjectRecord,
  TokenKind,
} from '@countersign/contracts/records'
import {
  addFirstTokens,
  beginCommit,
  isLive,
  limits as tokenLimits,
  linksOf,
  tell,
  tokenRecord,
  tokenSecretBytes,
  type Client,
  type Deciding,
  type Held,
  type ParsedToken,
} from '@countersign/tokens'
import { takingAway } from '../authorization/requests.ts'
import { versioned } from '../authorization/state.ts'
import { decideAndCommit } from '../decide.ts'
import { deviceKey, devicePartition } from '../device/codes.ts'
import type { GrantOptions } from './grants.ts'
import { decidingFor, required, type Given, type GrantHandler, type TokenRequest } from './request.ts'

const refused = () => new Failure('invalid_grant', 'the device code is unknown, used, or not of this client')

/** RFC 8628 section 3.4: the device asks until the person has decided. */
export function deviceCodeGrant(options: GrantOptions): GrantHandler {
  const devices = new Devices(options)
  return (request) => devices.give(request)
}

class Devices {
  readonly #options: GrantOptions

  constructor(options: GrantOptions) {
    this.#options = options
  }

  async give({ client, form, http, confirmation }: TokenRequest): Promise<Given> {
    const { store, format, now, commitId, randomBytes } = this.#options
    const code = required(form, 'device_code')
    const parsed = code.length <= tokenLimits.tokenCharacters ? format.parse(code) : undefined
    if (parsed?.kind !== TokenKind.DEVICE_CODE) throw refused()
    const by = () => decidingFor({ client, http }, this.#options)
    const device = await this.#poll(parsed, client, by)
    if (device.dpopJkt !== '' && device.dpopJkt !== confirmation?.jkt) throw refused()
    if (device.state === DeviceState.DENIED) throw new Failure('access_denied', 'the person did not let the device in')
    const held = await this.#heldFor(device)
    if (!isLive(held, now())) throw refused()
    const { key, version } = await this.#read(parsed, client)
    // Used once: whoever takes it away gets the tokens.
    const claim = takingAway(key, version, { commitId: commitId() }, devicePartition)
    if ((await store.commit(claim)) === 'conflict') throw refused()
    let given: Given | undefined
    await decideAndCommit(store, () => {
      const deciding = by()
      const commit = beginCommit(deciding, device.grantPartition)
      const tokenSecrets = { access: randomBytes(tokenSecretBytes), refresh: randomBytes(tokenSecretBytes) }
      const subject = held.subject?.record
      const beginning = { client, grant: device.grant!, record: device, subject, confirmation, tokenSecrets }
      given = addFirstTokens(commit, beginning, format, deciding)
      tell(commit, deciding, { type: 'device.connected', subject: device.grant!.subject, clientId: client.id })
      return { commit }
    })
    return given!
  }

  async #read(parsed: ParsedToken, client: Client) {
    const { store, now } = this.#options
    const [entry] = await store.get([deviceKey(parsed.digest)])
    if (!entry) throw new Failure('expired_token', 'the device code has expired, or is none')
    const device = versioned(entry, DeviceRecord)
    if (device.record.clientId !== client.id) throw refused()
    if (device.record.expiresAt <= now()) throw new Failure('expired_token', 'the device code has expired')
    return { key: entry.key, ...device }
  }

  /** Notes when it polled; too soon makes it wait longer (section 3.5). */
  async #poll(parsed: ParsedToken, client: Client, by: () => Deciding): Promise<DeviceRecord> {
    const { slowDown, most } = tokenLimits.devicePollSeconds
    let tooSoon = false
    let found: DeviceRecord | undefined
    await decideAndCommit(this.#options.store, async () => {
      const { key, record, version } = await this.#read(parsed, client)
      found = record
      if (record.state !== DeviceState.WAITING) return undefined
      const at = by()
      tooSoon = record.polledAt !== 0 && at.now - record.polledAt < record.interval * 1_000
      const interval = tooSoon ? Math.min(record.interval + slowDown, most) : record.interval
      const commit = beginCommit(at, devicePartition)
      const value = DeviceRecord.encode({ ...record, polledAt: at.now, interval }).finish()
      commit.checks.push({ key, version })
      commit.puts.push({ key, value, expiresAt: record.expiresAt })
      return { commit }
    })
    if (found!.state !== DeviceState.WAITING) return found!
    throw tooSoon
      ? new Failure('slow_down', 'poll less often: five seconds more between two polls')
      : new Failure('authorization_pending', 'the person has not decided yet')
  }

  /** Everything that must still hold when the device is given what the person agreed to. */
  async #heldFor(device: DeviceRecord): Promise<Held> {
    const grant = device.grant!
    const [, client, subject, session] = await this.#options.store.get(linksOf(device.grantPartition, grant))
    const { clientEpoch, subjectEpoch, expiresAt } = device
    return {
      token: {
        record: tokenRecord({ kind: TokenKind.DEVICE_CODE, expiresAt, clientEpoch, subjectEpoch }),
        version: '',
      },
      grant: { record: grant, version: '' },
      ...(client && { clients: [versioned(client, ClientRecord)] }),
      ...(subject && { subject: versioned(subject, SubjectRecord) }),
      ...(session && { session: versioned(session, SessionRecord) }),
    }
  }
}
