/**
 * What runs inside Redis. Lua does not roll back, so the commit looks at everything that could refuse it or fail before
 * its first write. No script may cross slots (the `#!lua` header sees to it).
 *
 * Under `cs{P}:` of a partition P: `.meta`, a hash of epoch, facts and outbox (the last sequence numbers), tip and
 * bucket (of the applied ids); `.outbox` and `.facts`, streams whose ids are the sequence numbers; `.applied0` and `.applied1`,
 * sets of commit ids, each for every other minute; `.l/NAME`, a listing: sorted by expiry; and NAME, an entry (see
 * encoding.ts).
 *
 * The scripts that only read are not declared so, on purpose: as possible writers they are refused by a replica, and by a
 * primary that was cut off from its replicas (where `min-replicas-to-write` is set). What answers is the primary.
 */
import { clearedPerPage, maxFactsPerRead } from '../limits.ts'
import { now, script } from './script.ts'

/**
 * KEYS: entries to follow, then entries to get. ARGV: how many to follow, the partition's prefix.
 * Answers one after the other: each entry (nil when absent), and after one to follow each that it links to.
 */
export const readScript = script(`#!lua flags=allow-oom
local follow, prefix = tonumber(ARGV[1]), ARGV[2]
local reply, n, seen = {}, 0, {}
for i = 1, #KEYS do
  local entry = redis.call('GET', KEYS[i])
  n = n + 1
  reply[n] = entry
  if entry and i <= follow then
    local at = 18
    for _ = 1, string.byte(entry, 17) do at = at + 1 + string.byte(entry, at) end
    local links = string.byte(entry, at)
    at = at + 1
    for _ = 1, links do
      local length = string.byte(entry, at)
      local name = string.sub(entry, at + 1, at + length)
      at = at + 1 + length
      local linked = seen[name]
      if linked == nil then
        linked = redis.call('GET', prefix .. name)
        seen[name] = linked
      end
      n = n + 1
      reply[n] = linked
    end
  end
end
return reply
`)

/**
 * KEYS: a listing. ARGV: the partition's prefix, how many entries, score and member after which to begin ('' for the
 * beginning). Answers score and member after which the next page begins ('' for none), then members and entries.
 */
export const listScript = script(`#!lua flags=allow-oom
local listing, prefix, limit, score, member = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
${now}
-- Lua compares by the server's locale, Redis sorts by bytes.
local function comesAfter(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end

local dead = redis.call('ZRANGEBYSCORE', listing, '-inf', now, 'LIMIT', 0, ${clearedPerPage})
if #dead > 0 then redis.call('ZREM', listing, unpack(dead)) end
local rank = redis.call('ZCOUNT', listing, '-inf', now)
if score ~= '' then
  local low = redis.call('ZCOUNT', listing, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', listing, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comesAfter(redis.call('ZRANGE', listing, middle, middle)[1], member) then high = middle else low = middle + 1 end
  end
  rank = math.max(rank, low)
end

local reply, found, looked, gone = { '', '' }, 0, 0, {}
while true do
  local window = redis.call('ZRANGE', listing, rank, rank + limit - found, 'WITHSCORES')
  for i = 1, #window, 2 do
    local entry = redis.call('GET', prefix .. window[i])
    if not entry then
      gone[#gone + 1] = window[i]
    else
      found = found + 1
      if found > limit then break end
      reply[found * 2 + 1], reply[found * 2 + 2] = window[i], entry
    end
    score, member = window[i + 1], window[i]
  end
  looked, rank = looked + #window / 2, rank + #window / 2
  if #window == 0 then break end
  if found > limit or looked >= limit + ${clearedPerPage} then
    reply[1], reply[2] = score, member
    break
  end
end
if #gone > 0 then redis.call('ZREM', listing, unpack(gone)) end
return reply
`)

/**
 * KEYS: .meta .facts. ARGV: an epoch, a sequence number. Answers epoch, head, tip and the facts after the number; of too
 * many the first.
 */
export const factsScript = script(`#!lua flags=allow-oom
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'facts', 'tip')
local epoch, head, after = meta[1] or '', tonumber(meta[2] or 0), tonumber(ARGV[2])
local facts = {}
if epoch == ARGV[1] and after < head then
  local last = head - after <= ${maxFactsPerRead} and head or after + 1
  facts = redis.call('XRANGE', KEYS[2], string.format('%d-0', after + 1), string.format('%d-0', last))
end
return { epoch, head, head == 0 and '' or meta[3], facts }
`)
