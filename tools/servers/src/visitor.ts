import { ask, type Reply } from './caller.ts'

/** A form of a page, as a browser would send it. */
export interface PageForm {
  action: string
  method: string
  fields: Record<string, string>
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name]!)

const attributes = (tag: string): Record<string, string> =>
  Object.fromEntries(
    [...tag.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [name!, unescaped(value ?? '')]),
  )

/** Somebody with a browser that has cookies and forms, but no scripts. Follows redirects as far as the origin goes. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly #origin: string
  /** Where it is. */
  url: string
  reply!: Reply

  constructor(origin: string) {
    this.#origin = origin
    this.url = origin
  }

  /** Goes there; a redirect to another origin is where it ends, unseen. @returns the URL that it came to */
  async go(url: string, form?: Record<string, string>): Promise<string> {
    let target = new URL(url, this.url)
    let body = form && new URLSearchParams(form).toString()
    for (let hops = 0; hops < 10; hops++) {
      this.url = target.href
      if (target.origin !== this.#origin) return this.url
      this.reply = await ask(target.href, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin }),
        },
        ...(body !== undefined && { body }),
      })
      this.#keep([this.reply.headers['set-cookie'] ?? []].flat())
      const location = this.reply.headers['location']
      if (typeof location !== 'string') return this.url
      target = new URL(location, target)
      body = undefined
    }
    throw new Error(`${url} redirects for ever`)
  }

  /** The forms of the page. */
  forms(): PageForm[] {
    return [...this.reply.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag, inner]) => {
      const { action = '', method = 'get' } = attributes(tag!)
      const fields: Record<string, string> = {}
      for (const [, input] of inner!.matchAll(/<input([^>]*)>/g)) {
        const { name, value, type, checked } = attributes(input!)
        if (name === undefined || (type === 'checkbox' && checked === undefined)) continue
        fields[name] = type === 'checkbox' ? value || 'on' : (value ?? '')
      }
      return { action, method, fields }
    })
  }

  /** Fills in the first form of the page, and sends it. @returns the URL that it came to */
  async submit(filled: Record<string, string> = {}): Promise<string> {
    const [form] = this.forms()
    if (!form) throw new Error(`no form at ${this.url}: ${this.reply.status} ${this.reply.text.slice(0, 2_000)}`)
    return this.go(form.action, { ...form.fields, ...filled })
  }

  /** Signs in and agrees to what it is asked, until it is sent elsewhere or nothing more is asked. */
  async signIn({ loginName, password }: { loginName: string; password: string }): Promise<string> {
    for (let pages = 0; pages < 4 && new URL(this.url).origin === this.#origin; pages++) {
      const [form] = this.forms()
      if (!form) break
      if ('password' in form.fields) await this.submit({ login_name: loginName, password })
      else await this.submit({ decision: 'allow' })
    }
    return this.url
  }

  #keep(cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const [pair = ''] = cookie.split(';')
      const equals = pair.indexOf('=')
      const isOver = /max-age=0|expires=thu, 01 jan 1970/i.test(cookie)
      if (isOver || equals < 0) this.cookies.delete(pair.slice(0, equals))
      else this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
  }
}
