import { createHash } from 'node:crypto'
import { stripTypeScriptTypes } from 'node:module'

/** Jest's transform: Node's own type stripping, so that tests run the very code that Node runs. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
  getCacheKey: (source) => createHash('sha256').update(process.version).update(source).digest('hex'),
}
