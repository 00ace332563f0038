export interface Page {
  status: number
  headers: Headers
  text: string
  location: string | null
  setCookies: string[]
  /** The hidden and other fields of the page's first form, with their values as the browser would send them. */
  fields: Record<string, string>
}

const unescape = (text: string): string =>
  text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')

function fieldsOf(text: string): Record<string, string> {
  const form = /<form[^>]*>([\s\S]*?)<\/form>/.exec(text)?.[1] ?? ''
  const inputs = [...form.matchAll(/<input\s([^>]*)>/g)].map(([, attributes]) => attributes!)
  const attribute = (attributes: string, name: string) => {
    const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1]
    return value === undefined ? undefined : unescape(value)
  }
  return Object.fromEntries(
    inputs.map((attributes) => [attribute(attributes, 'name'), attribute(attributes, 'value') ?? 'on']),
  )
}

/** What a browser does without scripts: keeps cookies, and sends forms. Follows no redirects. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #origin: string
  readonly #headers: Record<string, string>

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.#origin = origin
    this.#headers = headers
  }

  open(path: string, init: RequestInit = {}): Promise<Page> {
    return this.#fetch(path, init)
  }

  /** Sends the fields as a form, with headers besides. */
  send(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    return this.#fetch(path, { method: 'POST', body: new URLSearchParams(fields), headers })
  }

  async #fetch(path: string, init: RequestInit): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...this.#headers, ...(cookie && { cookie }), ...(init.headers as Record<string, string>) }
    const response = await fetch(`${this.#origin}${path}`, { ...init, headers, redirect: 'manual' })
    const setCookies = response.headers.getSetCookie()
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const text = await response.text()
    const { status } = response
    const location = response.headers.get('location')
    return { status, headers: response.headers, text, location, setCookies, fields: fieldsOf(text) }
  }
}
