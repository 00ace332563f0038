import { createHash } from 'node:crypto'
import { Command, Redis } from 'ioredis'
import type { RedisClient } from './client.ts'
import { isNoScript } from './fault.ts'

/** A Lua script and the name that Redis has for it. */
export interface Script {
  text: string
  sha: string
}

export const script = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') })

/** Lua that sets `time` and `now` (milliseconds). */
export const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

export type Argument = string | Buffer

/**
 * Runs a script on the node of its first key, by its name; a server that does not know it (restarted, or another since)
 * is given its text. Bulk strings in the answer are Buffers: views of what the socket gave.
 */
export async function run(
  client: RedisClient,
  { text, sha }: Script,
  keys: number,
  args: Argument[],
): Promise<unknown> {
  try {
    return await send(client, 'evalsha', [sha, String(keys), ...args])
  } catch (error) {
    if (!isNoScript(error)) throw error
    return send(client, 'eval', [text, String(keys), ...args])
  }
}

export function send(client: RedisClient, name: string, args: Argument[]): Promise<unknown> {
  const command = new Command(name, args, { replyEncoding: null })
  if (client instanceof Redis) holdWrites(client)
  return client.sendCommand(command) as Promise<unknown>
}

/** Lets what is written in this turn of the event loop go out as one write: under load the system calls cost the most. */
function holdWrites({ stream }: Redis): void {
  if (stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}
