import type { HttpAnswer } from '@countersign/chassis'
import { Failure, type AuthorizationCalls } from '@countersign/contracts'
import { SubjectChange, type Session } from '@countersign/contracts/authorization'
import type { Account, AccountDirectory } from '../account-directory.ts'
import { linkTo, type Purpose } from '../errand.ts'
import { accountPaths, notices, type AccountPage, type Frame, type Notice } from '../pages/account/index.ts'
import type { Mistake } from '../pages/index.ts'
import type { Handlers, Visit } from '../visit.ts'

/** Whoever is signed in, in this browser. */
export interface Person {
  account: Account
  session: Session
}

export type Act = (visit: Visit, person: Person) => Promise<HttpAnswer>

export interface AccountPagesOptions {
  authorization: AuthorizationCalls
  directory: AccountDirectory
  /** The pages that there are. */
  pages: readonly AccountPage[]
}

/** What all pages of an account have in common: they are for whoever is signed in, and for nobody else. */
export class AccountPages {
  readonly #options: AccountPagesOptions

  constructor(options: AccountPagesOptions) {
    this.#options = options
  }

  /** Whoever is not signed in is sent to do so, and comes back. */
  handlers(GET: Act, POST?: Act): Handlers {
    const { authorization, directory } = this.#options
    const entered =
      (act: Act) =>
      async (visit: Visit): Promise<HttpAnswer> => {
        const { session } = visit.session ? await authorization.getSession({ session: visit.session }) : {}
        if (!session) return visit.to(linkTo(backTo(visit)))
        const account = await directory.read(session.partition, session.subject)
        if (account?.record.disabledAt === 0) return act(visit, { account, session })
        throw new Failure('access_denied', 'this account cannot be used any more')
      }
    return { GET: entered(GET), ...(POST && { POST: entered(POST) }) }
  }

  /** What a page is made with. */
  frame(visit: Visit, here: AccountPage, mistake?: Mistake): Frame {
    const csrf = visit.csrf(`account ${here}`, 'session')
    return { paper: visit.paper(), here, pages: this.#options.pages, csrf, notice: noticeIn(visit), mistake }
  }

  /** Whoever else is signed in, or acts by a token, may be why one way to sign in is none any more. */
  async signOutOthers(
    { session, asker }: Visit,
    { partition, record }: Account,
    reason: 'password_changed' | 'identity_removed' | 'passkey_removed',
  ): Promise<void> {
    const wanted = { partition, subject: record.id, change: SubjectChange.SIGN_OUT, roles: [], reason }
    await this.#options.authorization.changeSubject({ ...wanted, except: session, asker })
  }
}

/** Which of a page's forms was sent. @throws Failure `access_denied` unless it is of this page, and of this session */
export function actIn(visit: Visit, here: AccountPage): string {
  visit.verifyCsrf(`account ${here}`, 'session')
  return visit.form.get('act') ?? ''
}

export const noSuchForm = (): Failure =>
  new Failure('invalid_request', 'this form is not complete; open the page again')

/** Back to a page, which says what was done. */
export const done = (visit: Visit, here: AccountPage, notice?: Notice): HttpAnswer =>
  visit.to(notice === undefined ? accountPaths[here] : `${accountPaths[here]}?done=${notice}`)

/** Where whoever is signed in signs in once more, and comes back. */
export const signInAgain = (visit: Visit): string => linkTo(backTo(visit)).replace('?', '?again=1&')

const backTo = (visit: Visit): Purpose => ({ $case: 'returnTo', value: visit.url.pathname })

function noticeIn({ query }: Visit): Notice | undefined {
  const given = query.get('done')
  return notices.find((notice) => notice === given)
}
