import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Edit, Mutant } from './mutants.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A source with its edits made. @throws Error when one does not fit exactly once */
export function edited(source: string, edits: readonly Edit[]): string {
  return edits.reduce((text, edit) => {
    const parts = text.split(edit.text)
    if (parts.length !== 2) {
      throw new Error(`${edit.file} has ${parts.length - 1} times, not once: ${edit.text}`)
    }
    return parts.join(edit.replacement)
  }, source)
}

/**
 * Has the sources that are loaded from now on be the mutant's; nothing is written.
 * @returns what to call once everything is loaded @throws Error when an edit was not made
 */
export function mutate({ name, edits }: Mutant): () => void {
  const missing = new Set(edits.map(({ file }) => file))
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const file = url.startsWith('file:') ? fileURLToPath(url).slice(root.length) : ''
      const own = edits.filter((edit) => edit.file === file)
      if (own.length === 0) return loaded
      missing.delete(file)
      return { ...loaded, source: edited(String(loaded.source), own) }
    },
  })
  return () => {
    if (missing.size > 0) throw new Error(`${name}: never loaded: ${[...missing].join(', ')}`)
  }
}
