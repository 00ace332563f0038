import { setupTokenFrom } from '@countersign/assembly'
import { Visitor } from '@countersign/servers'

const loginName = 'alice'
const password = 'correct horse battery staple'

/** Makes the first account. */
export async function signUp({ issuerUrl, masterKey }: { issuerUrl: string; masterKey: string }): Promise<void> {
  const visitor = new Visitor(issuerUrl)
  await visitor.go(`/setup?token=${setupTokenFrom(Buffer.from(masterKey))}`)
  const account = { login_name: loginName, name: 'Alice Example', email: 'alice@example.org' }
  await visitor.submit({ ...account, password, password_again: password, repeated: password })
  if (visitor.reply.status !== 200) throw new Error(`no account: ${visitor.reply.status} ${visitor.reply.text}`)
}

/**
 * Goes where an application sends the person, who signs in and decides, up to the answer to the application: a URL, or a
 * form that the page would post by itself.
 */
export async function answerOf(
  visitor: Visitor,
  url: URL,
  decision: 'allow' | 'deny' = 'allow',
): Promise<URL | Request> {
  const { origin } = url
  await visitor.go(url.href)
  for (let pages = 0; pages < 4; pages++) {
    const at = new URL(visitor.url)
    if (at.origin !== origin) return at
    const [form] = visitor.forms()
    if (!form) break
    const target = new URL(form.action, at)
    if (target.origin !== origin) {
      return new Request(target, { method: 'POST', body: new URLSearchParams(form.fields) })
    }
    await visitor.submit('password' in form.fields ? { login_name: loginName, password } : { decision })
  }
  throw new Error(`no answer at ${visitor.url}: ${visitor.reply.status} ${visitor.reply.text}`)
}

/** Lets a device in that shows this code. @returns what the last page says */
export async function letIn(visitor: Visitor, verificationUri: string, userCode: string): Promise<string> {
  await visitor.go(verificationUri)
  await visitor.submit({ user_code: userCode })
  await visitor.signIn({ loginName, password })
  return visitor.reply.text
}
