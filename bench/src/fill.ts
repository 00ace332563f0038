import { randomBytes } from 'node:crypto'
import { Failure } from '@countersign/contracts'
import { TokenKind, TokenRecord } from '@countersign/contracts/records'
import { newCommitId, type Bytes, type Check, type Commit, type Key, type Store } from '@countersign/store'
import { tokenKey, tokenSecretBytes, type TokenFormat } from '@countersign/tokens'
import { limits } from './limits.ts'

export interface FillOptions {
  store: Store
  format: TokenFormat
  /** A token that the product issued: what is filled in is like it. */
  example: string
  count: number
  /** Tokens in one commit. One is what the product does; more is faster. */
  tokensPerCommit: number
  signal: AbortSignal
}

interface Template {
  partition: number
  value: Bytes
  expiresAt: number
  links: Key[]
  checks: Check[]
}

async function templateOf(store: Store, format: TokenFormat, example: string): Promise<Template> {
  const parsed = format.parse(example)
  if (!parsed) throw new Error('the example is not a token of this store')
  const [token, ...linked] = (await store.follow(tokenKey(parsed.partition, parsed.digest))) ?? []
  if (!token) throw new Error('the store does not have the example')
  return {
    partition: parsed.partition,
    value: token.value,
    expiresAt: TokenRecord.decode(token.value).expiresAt,
    links: linked.map(({ key }) => key),
    checks: linked.map(({ key, version }) => ({ key, version })),
  }
}

/**
 * Puts tokens into the store as the issuer would, but for the events: the journal is left out of it.
 * @returns the tokens
 */
export async function fill(options: FillOptions): Promise<string[]> {
  const { store, format, example, count, tokensPerCommit, signal } = options
  const { partition, value, expiresAt, links, checks } = await templateOf(store, format, example)
  const tokens: string[] = []

  function nextCommit(): Commit {
    const puts: Commit['puts'] = []
    for (let n = Math.min(tokensPerCommit, count - tokens.length); n > 0; n--) {
      const made = format.mint(TokenKind.ACCESS_TOKEN, partition, randomBytes(tokenSecretBytes))
      tokens.push(made.token)
      puts.push({ key: tokenKey(partition, made.digest), value, expiresAt, links })
    }
    return { id: newCommitId(), partition, checks, puts, deletes: [], events: [], facts: [] }
  }

  async function work(): Promise<void> {
    while (tokens.length < count) {
      signal.throwIfAborted()
      if ((await store.commit(nextCommit())) === 'conflict')
        throw new Failure('conflict', 'the client changed meanwhile')
    }
  }

  await Promise.all(Array.from({ length: limits.fillAtOnce }, work))
  return tokens
}
