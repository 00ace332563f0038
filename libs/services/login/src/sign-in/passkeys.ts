import { isIP } from 'node:net'
import { Failure } from '@countersign/contracts'
import type { Passkey } from '@countersign/contracts/records'
import { system, type ReplayGuard } from '@countersign/tokens'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { decodeAttestationObject } from '@simplewebauthn/server/helpers'
import type { Account, AccountDirectory } from '../account-directory.ts'
import { limits } from '../limits.ts'
import type { PasskeyChallenge } from '../pages/index.ts'
import type { Visit } from '../visit.ts'

export interface PasskeysOptions {
  directory: AccountDirectory
  replay: ReplayGuard
  issuer: string
  /** Shown by the browser. */
  serverName: () => string
  randomBytes: (bytes: number) => Uint8Array
  now: () => number
}

const kept = (counter: number, usedAt: number, now: number): boolean =>
  counter === 0 && now - usedAt < limits.passkeyUseMs

/** Signing in with a passkey (WebAuthn): it is two factors in one, as the device has to verify its user. */
export class Passkeys {
  readonly #options: PasskeysOptions
  readonly #origin: string
  readonly #rpId: string
  /** Browsers know no passkeys for addresses, nor over plain HTTP but on this machine. */
  readonly arePossible: boolean

  constructor(options: PasskeysOptions) {
    this.#options = options
    const { origin, hostname, protocol } = new URL(options.issuer)
    this.#origin = origin
    this.#rpId = hostname
    const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
    this.arePossible = (protocol === 'https:' || isLocal) && isIP(hostname.replace(/^\[|\]$/g, '')) === 0
  }

  /** For anybody: the browser offers what it has. */
  toSignIn(visit: Visit): PasskeyChallenge {
    const challenge = this.#challenge()
    const options = {
      challenge,
      rpId: this.#rpId,
      allowCredentials: [],
      userVerification: 'required',
      timeout: limits.passkeyMs,
    }
    return this.#carried(visit, challenge, options)
  }

  /** For a new passkey of an account. */
  toAdd(visit: Visit, { partition, record }: Account, label: string): PasskeyChallenge {
    const challenge = this.#challenge()
    const options = {
      challenge,
      rp: { id: this.#rpId, name: this.#options.serverName() },
      user: { id: userHandleOf(partition, record.id), name: label, displayName: label },
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
      excludeCredentials: record.passkeys.map(({ id, transports }) => ({ type: 'public-key', id, transports })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
      timeout: limits.passkeyMs,
    }
    return this.#carried(visit, challenge, options)
  }

  /** The account whose passkey it is; undefined for one that is not known, or not right. */
  async verify(visit: Visit, answer: string, ticket: string): Promise<Account | undefined> {
    const { directory } = this.#options
    const response = parsed(answer)
    const place = response && placeIn(response.response?.userHandle)
    const challenge = await this.#challengeOf(visit, ticket)
    const account = place && (await directory.read(place.partition, place.id))
    const passkey = account?.record.passkeys.find(({ id }) => id === response?.id)
    if (!response || !account || !passkey || account.record.disabledAt !== 0) return undefined
    // Who came by a provider signs in there: a passkey here would make somebody else of them.
    if (account.record.loginName === '') return undefined
    const counter = await this.#counterOf(response, challenge, passkey)
    return counter === undefined ? undefined : this.#used(account, passkey, counter)
  }

  /** A new passkey. @throws Failure `invalid_request` when what the browser sent is not right */
  async verifyNew(visit: Visit, answer: string, ticket: string, name: string): Promise<Passkey> {
    const response = parsed(answer)
    const expectedChallenge = await this.#challengeOf(visit, ticket)
    const verified =
      response &&
      isWithoutVoucher(response) &&
      (await attempt(() =>
        verifyRegistrationResponse({ response: response as never, expectedChallenge, ...this.#expected() }),
      ))
    if (!verified || !verified.verified) throw new Failure('invalid_request', 'this passkey is not right; try again')
    const { credential } = verified.registrationInfo
    const now = this.#options.now()
    const { id, publicKey, counter, transports = [] } = credential
    return { id, publicKey: Buffer.from(publicKey), counter, name, transports, addedAt: now, usedAt: now }
  }

  #challenge(): string {
    return Buffer.from(this.#options.randomBytes(limits.cookieBytes)).toString('base64url')
  }

  #carried(visit: Visit, challenge: string, options: object): PasskeyChallenge {
    return { options: JSON.stringify(options), ticket: visit.ticket('passkey', challenge, limits.passkeyMs) }
  }

  /** Good once. @throws Failure `invalid_request` */
  async #challengeOf(visit: Visit, text: string): Promise<string> {
    const ticket = visit.opened<string>('passkey', text)
    if (ticket && (await this.#options.replay.once('ticket', ticket.id, ticket.expiresAt))) return ticket.content
    throw new Failure('invalid_request', 'the passkey was asked for too long ago, or in another browser; try again')
  }

  #expected() {
    return { expectedOrigin: this.#origin, expectedRPID: this.#rpId, requireUserVerification: true }
  }

  async #counterOf(
    response: WebAuthnResponse,
    expectedChallenge: string,
    passkey: Passkey,
  ): Promise<number | undefined> {
    const { id, publicKey, counter } = passkey
    const credential = { id, publicKey: new Uint8Array(publicKey), counter }
    const verified = await attempt(() =>
      verifyAuthenticationResponse({ response: response as never, expectedChallenge, credential, ...this.#expected() }),
    )
    return verified?.verified ? verified.authenticationInfo.newCounter : undefined
  }

  /** Most passkeys do not count: then it is only noted now and then that it was used. */
  async #used(account: Account, { id, usedAt }: Passkey, counter: number): Promise<Account | undefined> {
    const now = this.#options.now()
    if (kept(counter, usedAt, now)) return account
    return this.#options.directory.change(account, system, (record) => {
      const isReplayed = record.passkeys.some((each) => each.id === id && each.counter !== 0 && each.counter >= counter)
      const passkeys = record.passkeys.map((each) => (each.id === id ? { ...each, counter, usedAt: now } : each))
      return isReplayed ? undefined : { record: { ...record, passkeys } }
    })
  }
}

interface WebAuthnResponse {
  id: string
  response?: { userHandle?: unknown; attestationObject?: unknown }
}

/**
 * We ask for no attestation, so browsers send none (WebAuthn section 5.4.7), or one by the passkey itself. Whatever names certificates
 * is not looked at: the library would fetch from wherever they say.
 */
function isWithoutVoucher({ response }: WebAuthnResponse): boolean {
  const { attestationObject } = response ?? {}
  if (typeof attestationObject !== 'string') return false
  try {
    const attestation = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
    const format = attestation.get('fmt')
    return format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined)
  } catch {
    return false
  }
}

function parsed(answer: string): WebAuthnResponse | undefined {
  try {
    const response = JSON.parse(answer) as Partial<WebAuthnResponse> | null
    return typeof response?.id === 'string' ? (response as WebAuthnResponse) : undefined
  } catch {
    return undefined
  }
}

/** The library throws for whatever is not right. */
async function attempt<T>(verify: () => Promise<T>): Promise<T | undefined> {
  try {
    return await verify()
  } catch {
    return undefined
  }
}

/** What an authenticator keeps of an account, and tells again: where it is. */
const userHandleOf = (partition: number, id: string): string => Buffer.from(`${partition}:${id}`).toString('base64url')

function placeIn(userHandle: unknown): { partition: number; id: string } | undefined {
  const [, partition, id] =
    /^(\d{1,2}):([\w-]{22})$/.exec(
      Buffer.from(typeof userHandle === 'string' ? userHandle : '', 'base64url').toString(),
    ) ?? []
  return id === undefined ? undefined : { partition: Number(partition), id }
}
