import type { Next } from '@countersign/contracts/authorization'
import { DeviceRecord, DeviceState } from '@countersign/contracts/records'
import { Failure } from '@countersign/contracts'
import type { Store } from '@countersign/store'
import { beginCommit, grantOf, scopesOf, tell, type Client, type Deciding } from '@countersign/tokens'
import { clientInformation, type Desk, type Plan } from '../authorization/desk.ts'
import { readAcquaintance, type BrowserSession } from '../authorization/state.ts'
import type { ClientSource } from '../clients/source.ts'
import type { SubjectNames } from '../subject-names.ts'
import { devicePartition, normalizeUserCode, shownUserCode, type DeviceCodes, type Waiting } from './codes.ts'

export interface DeviceDeskOptions {
  store: Pick<Store, 'get'>
  codes: DeviceCodes
  find: ClientSource['find']
  subjectNames: SubjectNames
  scopeDescriptions: () => ReadonlyMap<string, string>
  randomBytes: (bytes: number) => Uint8Array
}

/** Devices: sign in, see what the device shows, and let it in or not (RFC 8628 section 3.3). */
export class DeviceDesk implements Desk {
  readonly #options: DeviceDeskOptions

  constructor(options: DeviceDeskOptions) {
    this.#options = options
  }

  /** A code leads to the device, and that to its client: there is nothing to read beforehand. */
  keysOf(): [] {
    return []
  }

  async plan(userCode: string, browser: BrowserSession | undefined): Promise<Plan> {
    const { waiting, client } = await this.#find(userCode)
    const asked = { client: clientInformation(client), uiLocales: [], display: '' }
    if (!browser) return show({ $case: 'signIn', value: { ...asked, loginHint: '', again: false, acrValues: [] } })
    const descriptions = this.#options.scopeDescriptions()
    const scopes = scopesOf(waiting.record.scope).map((scope) => ({
      scope,
      description: descriptions.get(scope) ?? '',
    }))
    return show({
      $case: 'consent',
      value: { ...asked, scopes, userCode: shownUserCode(normalizeUserCode(userCode)!) },
    })
  }

  async agree(userCode: string, browser: BrowserSession, scopes: readonly string[], by: Deciding): Promise<Plan> {
    const { waiting, client } = await this.#find(userCode)
    const { record } = waiting
    const session = browser.session.record
    const { partition } = browser
    const acquaintance = await readAcquaintance(this.#options.store, client, partition, session.subject)
    const asked = scopesOf(record.scope)
    const agreed = asked.filter((scope) => scope === 'openid' || scopes.includes(scope))
    if (asked.length > 0 && agreed.length === 0) return this.deny(userCode, { error: '', description: '' }, browser, by)
    const grant = grantOf(
      {
        client,
        subject: session.subject,
        session,
        scope: agreed.join(' '),
        audience: record.audience,
        claims: '',
        origin: 'urn:ietf:params:oauth:grant-type:device_code',
        toldSubject: this.#options.subjectNames.toldTo(client, session.subject),
      },
      Buffer.from(this.#options.randomBytes(16)).toString('base64url'),
      by.now,
    )
    const approved = {
      ...record,
      state: DeviceState.APPROVED,
      grant,
      grantPartition: partition,
      clientEpoch: acquaintance.client.record.epoch,
      subjectEpoch: session.subjectEpoch,
    }
    return decided(waiting, approved, 'consent.given', session.subject, 'device_allowed', by)
  }

  async deny(
    userCode: string,
    _refusal: { error: string; description: string },
    browser: BrowserSession | undefined,
    by: Deciding,
  ): Promise<Plan> {
    const { waiting } = await this.#find(userCode)
    const denied = { ...waiting.record, state: DeviceState.DENIED }
    const subject = browser?.session.record.subject ?? ''
    return decided(waiting, denied, 'consent.denied', subject, 'device_denied', by)
  }

  async #find(userCode: string): Promise<{ waiting: Waiting; client: Client }> {
    const waiting = await this.#options.codes.byUserCode(userCode)
    const client = await this.#options.find(waiting.record.clientId)
    if (!client) throw new Failure('not_found', 'this application is not known any more')
    return { waiting, client }
  }
}

const show = (next: Next['next']): Plan => ({ kind: 'show', next })

/** The device learns of it at its next poll; the user code is good no more. */
function decided(
  { key, userCodeKey, version }: Waiting,
  record: DeviceRecord,
  type: 'consent.given' | 'consent.denied',
  subject: string,
  what: string,
  by: Deciding,
): Plan {
  const commit = beginCommit(by, devicePartition)
  commit.checks.push({ key, version })
  commit.puts.push({ key, value: DeviceRecord.encode(record).finish(), expiresAt: record.expiresAt })
  commit.deletes.push(userCodeKey)
  const told = { subject, clientId: record.clientId, scopes: scopesOf(record.grant?.scope ?? record.scope) }
  tell(commit, by, { type, ...told, reason: 'device_code' })
  return { kind: 'finish', claim: undefined, commit, next: { $case: 'done', value: { what, uri: '' } } }
}
