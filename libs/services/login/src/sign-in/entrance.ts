import type { HttpAnswer } from '@countersign/chassis'
import { SignInPage } from '@countersign/contracts/authorization'
import type { Purpose } from '../errand.ts'
import { signInPage, type Mistake } from '../pages/index.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Visit } from '../visit.ts'
import type { Passkeys } from './passkeys.ts'

export interface EntranceOptions {
  upstreams: Pick<Upstreams, 'list'>
  /** Whether people sign in here with accounts of ours. */
  hasLocalAccounts: boolean
  passkeys: Passkeys
  /** Whether a link for a new password can reach people. */
  canReset: boolean
}

/** A sign-in page for nobody in particular. */
const ownSignIn: SignInPage = SignInPage.decode(new Uint8Array())

/** The page that offers every way to sign in. */
export class Entrance {
  readonly #options: EntranceOptions

  constructor(options: EntranceOptions) {
    this.#options = options
  }

  /** @param loginName as the person typed it, when the page is shown again */
  page(visit: Visit, purpose: Purpose, page = ownSignIn, mistake?: Mistake, loginName?: string): HttpAnswer {
    const { upstreams, hasLocalAccounts, passkeys, canReset } = this.#options
    const paper = visit.paper(page.uiLocales)
    return signInPage(paper, {
      page,
      ties: { purpose, csrf: visit.csrf(purpose ?? 'sign-in') },
      providers: upstreams.list(),
      local: hasLocalAccounts,
      canReset: hasLocalAccounts && canReset,
      ...(hasLocalAccounts && passkeys.arePossible && { passkey: passkeys.toSignIn(visit) }),
      ...(mistake && { mistake }),
      ...(loginName !== undefined && { loginName }),
    })
  }
}
