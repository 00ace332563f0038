import { tokenKey } from '@countersign/tokens'
import type { KnownToken, Revocation } from './checker.ts'
import type { Issuer } from './issuer.ts'
import { limits } from './limits.ts'
import { machineClients, peoplesClient } from './parties.ts'
import { consent, disableClient, endOne, type Committer } from './people.ts'
import { Questions, type Asked, type Tokens } from './questions.ts'
import { askWhetherEnforced } from './receipts.ts'
import type { Setting } from './setting.ts'
import type { History } from './history.ts'

export interface Actors extends Asked {
  readonly issuers: readonly Issuer[]
}

type Target = { kind: 'token' | 'grant' | 'session' | 'subject' | 'client'; token: KnownToken }

const kinds = ['token', 'token', 'grant', 'session', 'subject', 'subject'] as const

/** Those who use a world: they have tokens issued, take them back, and ask about them, most of all where it is close. */
export class Traffic {
  readonly #setting: Setting
  readonly #actors: Actors
  readonly #history: History
  readonly #tokens: Tokens = { living: [], ended: [] }
  readonly questions: Questions
  #isOver = false

  constructor(setting: Setting, actors: Actors, history: History) {
    this.#setting = setting
    this.#actors = actors
    this.#history = history
    this.questions = new Questions(setting, actors, this.#tokens)
  }

  /** Tokens that nobody has tried to end. */
  living(): KnownToken[] {
    return this.#tokens.living.filter(({ isGone }) => !isGone)
  }

  start(): void {
    const { random } = this.#setting
    const pace = random.between(0.6, 1.6)
    this.#repeat('issuing', 40 * pace, () => this.#tokens.living.length < limits.livingTokens && this.issue())
    this.#repeat('revoking', random.between(150, 700), () => this.#revokeSome())
    for (const cache of this.#actors.caches) {
      this.#repeat('verifying', 50 * pace, () => this.questions.verify(cache, ...this.questions.something()))
    }
    for (const replica of this.#actors.replicas) {
      this.#repeat('asking', 80 * pace, () => this.questions.askReplica(replica, ...this.questions.something()))
    }
  }

  stop(): void {
    this.#isOver = true
  }

  /** Has a token issued, or a person's grant with some. */
  issue(): void {
    const { random } = this.#setting
    const issuer = this.#issuer()
    if (!issuer) return
    const beganMs = this.#setting.scheduler.nowMs
    const isMachine = random.chance(0.5)
    issuer.machine.at(beganMs, 'a request', () => {
      if (!issuer.isReady) return
      void (isMachine ? this.#issueToMachine(issuer, beganMs) : this.#issueToPerson(issuer, beganMs))
    })
  }

  #repeat(name: string, meanMs: number, call: () => void): void {
    const { scheduler, random } = this.#setting
    scheduler.after(random.exponential(meanMs), name, () => {
      if (this.#isOver) return
      call()
      this.#repeat(name, meanMs, call)
    })
  }

  #issuer(): Issuer | undefined {
    const ready = this.#actors.issuers.filter(({ isReady }) => isReady)
    return ready.length === 0 ? undefined : this.#setting.random.pick(ready)
  }

  async #issueToMachine(issuer: Issuer, beganMs: number): Promise<void> {
    const clientId = this.#setting.random.pick(machineClients)
    const { status, body } = await issuer.post(clientId, '/oauth2/token', { grant_type: 'client_credentials' })
    if (status !== 200) return
    const { access_token: token } = JSON.parse(String(body)) as { access_token: string }
    const { partition, digest } = this.#setting.parties.format.parse(token)!
    const key = tokenKey(partition, digest)
    this.#issued({ token, key, partition, clientId, grantId: '', sessionId: '', subject: '' }, beganMs)
  }

  async #issueToPerson(issuer: Issuer, beganMs: number): Promise<void> {
    const { random, partitions, parties } = this.#setting
    try {
      const { tokens, ...rest } = await consent(
        this.#committer(issuer),
        parties,
        random.below(partitions),
        1 + random.below(2),
      )
      for (const each of tokens) this.#issued({ ...each, ...rest, clientId: peoplesClient }, beganMs)
    } catch {
      return
    }
  }

  #issued(issued: Omit<KnownToken, 'number' | 'revocations' | 'isGone'>, beganMs: number): void {
    const { checker, scheduler, trace } = this.#setting
    const token: KnownToken = { ...issued, number: checker.tokens.length, revocations: [], isGone: false }
    checker.tokens.push(token)
    checker.figures.tokens++
    this.#tokens.living.push(token)
    trace.tell(scheduler.nowMs, () => `token ${token.number} is issued (${token.clientId}, ${token.key.slice(0, 16)})`)
    this.#history.issued(token, beganMs)
    for (const revocation of this.#history.clientsDisabled(token.clientId)) this.#bury(token, revocation)
  }

  #committer = ({ store, machine }: Issuer): Committer => ({
    store,
    random: this.#setting.random,
    now: machine.clock.now,
  })

  #revokeSome(): void {
    const { random, scheduler } = this.#setting
    this.revoke()
    if (random.chance(0.4)) scheduler.after(random.exponential(10), 'revoking too', () => this.revoke())
  }

  /** Has something revoked. */
  revoke(): void {
    const { random } = this.#setting
    const living = this.living()
    if (living.length === 0) return
    const token = random.pick(living)
    const kind =
      random.chance(0.02) && this.#history.clientsEnded < 2
        ? 'client'
        : token.grantId === ''
          ? 'token'
          : random.pick(kinds)
    this.#end({ kind, token })
  }

  #end(target: Target): void {
    const { checker, scheduler, trace } = this.#setting
    const { kind, token } = target
    const affected = this.#tokens.living.filter((each) => isOf(target, each))
    const number = checker.figures.revocations++
    const revocation: Revocation = {
      ...{ what: `revocation ${number} (${kind} of token ${token.number})`, beganMs: scheduler.nowMs },
      ...{ acknowledgedMs: undefined, enforcedMs: undefined, revisions: [], isLost: false },
    }
    trace.tell(scheduler.nowMs, () => `${revocation.what} begins`)
    if (kind === 'client') this.#history.disabled(token.clientId, revocation)
    for (const each of affected) this.#bury(each, revocation)
    this.questions.around(token)
    this.#attempt(target, revocation, 6)
  }

  #bury(token: KnownToken, revocation: Revocation): void {
    token.revocations.push(revocation)
    const at = this.#tokens.living.indexOf(token)
    if (at === -1) return
    this.#tokens.living.splice(at, 1)
    this.#tokens.ended.push(token)
  }

  /** Whoever wants it revoked tries until it is acknowledged, for a while. */
  #attempt(target: Target, revocation: Revocation, left: number): void {
    const { scheduler, random, trace } = this.#setting
    if (left === 0 || revocation.acknowledgedMs !== undefined) return
    const again = (): void =>
      void scheduler.after(random.between(1, limits.retryMs), 'trying again', () =>
        this.#attempt(target, revocation, left - 1),
      )
    const issuer = this.#issuer()
    if (!issuer) return again()
    const beganMs = scheduler.nowMs
    const giveUp = scheduler.after(limits.storeTimeoutMs * 1.5, 'giving up', again)
    const revoked = new Promise<string[]>((resolve, reject) => {
      issuer.machine.at(beganMs, 'a request', () => {
        if (issuer.isReady) this.#askToRevoke(issuer, target).then(resolve, reject)
        else reject(new Error('not ready'))
      })
    })
    revoked.then(
      (revisions) => {
        giveUp()
        if (revocation.acknowledgedMs !== undefined) return
        revocation.acknowledgedMs = scheduler.nowMs
        revocation.revisions = revisions
        trace.tell(scheduler.nowMs, () => `${revocation.what} is acknowledged: ${revisions.join(' ')}`)
        this.#history.acknowledged(revocation, beganMs)
        this.questions.closeTo(target.token, revocation)
        if (random.chance(0.5)) {
          const ask = () => askWhetherEnforced(this.#setting, this.#actors, revocation)
          scheduler.after(random.exponential(250), 'is it enforced', ask)
        }
      },
      (thrown: unknown) => {
        giveUp()
        trace.tell(scheduler.nowMs, () => `${revocation.what} fails: ${String(thrown)}`)
        again()
      },
    )
  }

  async #askToRevoke(issuer: Issuer, { kind, token }: Target): Promise<string[]> {
    if (kind === 'token') {
      const { status, headers } = await issuer.post(token.clientId, '/oauth2/revoke', { token: token.token })
      if (status !== 200) throw new Error(`status ${status}`)
      const revision = headers?.['countersign-revision']
      return revision === undefined ? [] : [revision]
    }
    if (kind === 'client') {
      return disableClient(this.#committer(issuer), this.#setting.partitions, token.clientId)
    }
    const id = kind === 'grant' ? token.grantId : kind === 'session' ? token.sessionId : token.subject
    const revision = await endOne(this.#committer(issuer), token.partition, kind, id)
    return revision === undefined ? [] : [revision]
  }
}

/** Whether what is ended by this ends that token. */
function isOf({ kind, token }: Target, each: KnownToken): boolean {
  switch (kind) {
    case 'token':
      return each === token
    case 'grant':
      return each.grantId === token.grantId
    case 'session':
      return each.sessionId === token.sessionId
    case 'subject':
      return each.subject === token.subject
    case 'client':
      return each.clientId === token.clientId
  }
}
