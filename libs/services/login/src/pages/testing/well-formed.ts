const isVoid = /^(area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/

interface Element {
  name: string
  attributes: ReadonlyMap<string, string>
}

const attributeSyntax = /\s+([a-z][a-z\d-]*)(?:="([^"<>]*)")?/gy

/** @throws Error naming whatever is no plain HTML in it */
function attributesOf(tag: string, text: string): Map<string, string> {
  const attributes = new Map<string, string>()
  attributeSyntax.lastIndex = 0
  let end = 0
  for (let match = attributeSyntax.exec(text); match; match = attributeSyntax.exec(text)) {
    if (attributes.has(match[1]!)) throw new Error(`<${tag}> has ${match[1]} twice`)
    attributes.set(match[1]!, match[2] ?? '')
    end = attributeSyntax.lastIndex
  }
  if (text.slice(end).trim() !== '') throw new Error(`<${tag}> has a broken attribute: ${text.slice(end).trim()}`)
  return attributes
}

/**
 * The elements of a page, in order.
 * @throws Error for a tag that is not closed, one that closes another, an attribute without quotes, a loose `<` or `&`
 */
export function elementsOf(page: string): Element[] {
  const text = page.replace(/^<!doctype html>/i, '').replace(/<(style|script)>[\s\S]*?<\/\1>/g, '<$1></$1>')
  const open: string[] = []
  const elements: Element[] = []
  const pieces = text.split(/(<(?:[^<>"]|"[^"]*")*>)/)
  for (const piece of pieces) {
    const [, slash, name, rest] = /^<(\/?)([a-z][a-z\d]*)((?:[^<>"]|"[^"]*")*?)\/?>$/.exec(piece) ?? []
    if (/&(?!(amp|lt|gt|quot|#39);)/.test(piece)) throw new Error(`a loose ampersand: ${piece}`)
    if (name === undefined) {
      if (/[<>]/.test(piece)) throw new Error(`no tag: ${piece}`)
    } else if (slash === '/') {
      const last = open.pop()
      if (last !== name) throw new Error(`</${name}> closes <${last}>`)
    } else {
      elements.push({ name, attributes: attributesOf(name, rest!) })
      if (!isVoid.test(name)) open.push(name)
    }
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`)
  return elements
}

/** What is wrong with ids, and with whatever refers to them. */
export function brokenReferences(elements: readonly Element[]): string[] {
  const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? [])
  const twice = ids.filter((id, n) => ids.indexOf(id) !== n)
  const references = elements.flatMap(({ attributes }) =>
    ['for', 'aria-describedby', 'aria-labelledby'].flatMap((name) => attributes.get(name)?.split(' ') ?? []),
  )
  const labelled = new Set(elements.flatMap(({ attributes }) => attributes.get('for') ?? []))
  const unlabelled = elements.filter(
    ({ name, attributes }) =>
      name === 'input' && attributes.get('type') !== 'hidden' && !labelled.has(attributes.get('id') ?? ''),
  )
  return [
    ...twice.map((id) => `${id} is there twice`),
    ...references.filter((id) => !ids.includes(id)).map((id) => `${id} is nowhere`),
    ...unlabelled.map(({ attributes }) => `${attributes.get('name')} has no label`),
  ]
}
