import { clearedPerCommit, factsKeptMs, maxFactsKept } from '../limits.ts'
import { now, script } from './script.ts'

/** Seconds of one bucket of applied commit ids: an id stays for one to two of them. */
const bucketSeconds = 60

/** The names in a length-prefixed list at a position of an entry. */
const names = `
local function names(entry, at)
  local list = {}
  for n = 1, string.byte(entry, at) do
    local length = string.byte(entry, at + 1)
    list[n] = string.sub(entry, at + 2, at + 1 + length)
    at = at + 1 + length
  end
  return list, at + 1
end
`

/**
 * KEYS: .meta .outbox .facts .applied0 .applied1, then the entries checked, put and deleted.
 * ARGV: the commit's id, an epoch should there be none, how many checks, puts, deletes, events and
 * facts; a version for each check ('' for absent); entry and expiry ('' for never) for each put; each event; kind and id of
 * each fact. Answers {0} for a conflict, or {1, epoch, last fact, first event or 0, backlog, 1 if it was applied before or 0,
 * the tip before it}.
 */
export const commitScript = script(`#!lua
local META, OUTBOX, FACTS = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]
local checks, puts, deletes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local events, facts = tonumber(ARGV[6]), tonumber(ARGV[7])
local prefix = string.sub(META, 1, -6)
${now}${names}
local meta = redis.call('HMGET', META, 'epoch', 'facts', 'outbox', 'bucket', 'tip')
local epoch, fact, event = meta[1], tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local previousTip = meta[5] or ''
local backlog = redis.call('XLEN', OUTBOX)
if redis.call('SISMEMBER', KEYS[4], id) + redis.call('SISMEMBER', KEYS[5], id) > 0 then
  redis.call('HINCRBY', META, 'retries', 1) -- a WAIT after this write waits for the first try's writes too
  return { 1, epoch, fact, 0, backlog, 1, '' }
end

local heads, at, arg = {}, 5, 7
for i = 1, checks do
  local head = redis.call('GETRANGE', KEYS[at + i], 0, 16)
  if string.sub(head, 1, 16) ~= ARGV[arg + i] then return { 0 } end
  heads[KEYS[at + i]] = head
end
at, arg = at + checks, arg + checks

local function listings(key)
  local head = heads[key] or redis.call('GETRANGE', key, 0, 16)
  if (string.byte(head, 17) or 0) == 0 then return {} end
  return (names(redis.call('GET', key), 17))
end

local touched, added, removed, entries = {}, {}, {}, {}
local function plan(list, change)
  local listing = prefix .. '.l/' .. change.listing
  if not touched[listing] then
    redis.call('ZCARD', listing) -- fails here, not later, if it is something else
    touched[listing] = true
  end
  change.listing = listing
  list[#list + 1] = change
end
for i = 1, puts do
  local key, entry, expiry = KEYS[at + i], ARGV[arg + i * 2 - 1], ARGV[arg + i * 2]
  local list, rest = names(entry, 17)
  local has = {}
  for _, name in ipairs(list) do has[name] = true end
  local given = #list
  for _, name in ipairs(listings(key)) do
    if not has[name] then list[#list + 1] = name end
  end
  if #list > 255 then return redis.error_reply('ERR more than 255 listings hold one key') end
  if #list > given then
    local parts = { string.sub(entry, 1, 16), string.char(#list) }
    for _, name in ipairs(list) do parts[#parts + 1] = string.char(#name) .. name end
    parts[#parts + 1] = string.sub(entry, rest)
    entry = table.concat(parts)
  end
  entries[i] = entry
  local member, score = string.sub(key, #prefix + 1), expiry == '' and '+inf' or expiry
  for _, name in ipairs(list) do plan(added, { listing = name, member = member, score = score }) end
end
for i = 1, deletes do
  local key = KEYS[at + puts + i]
  local member = string.sub(key, #prefix + 1)
  for _, name in ipairs(listings(key)) do plan(removed, { listing = name, member = member }) end
end
if facts > 0 then redis.call('XLEN', FACTS) end
if not epoch and redis.call('EXISTS', OUTBOX, FACTS) > 0 then
  return redis.error_reply('ERR the partition has an outbox or facts, but no .meta')
end

-- From here on nothing fails.
local bucket, last = math.floor(time[1] / ${bucketSeconds}), tonumber(meta[4] or 0)
if bucket > last then
  redis.call('UNLINK', KEYS[4 + bucket % 2])
  if bucket > last + 1 then redis.call('UNLINK', KEYS[5 - bucket % 2]) end
else
  bucket = last
end
redis.call('SADD', KEYS[4 + bucket % 2], id)
local first = events > 0 and event + 1 or 0
local eventArg = arg + puts * 2
local factArg = eventArg + events
local tip = previousTip
local madeTip = facts > 0 and string.sub(redis.sha1hex(previousTip .. id), 1, 16)
for i = 1, events do
  event = event + 1
  redis.call('XADD', OUTBOX, string.format('%d-0', event), 'e', ARGV[eventArg + i], 'f', fact + facts)
end
for i = 1, facts do
  fact = fact + 1
  local kind, about = ARGV[factArg + i * 2 - 1], ARGV[factArg + i * 2]
  redis.call('XADD', FACTS, string.format('%d-0', fact), 'k', kind, 'i', about, 't', now, 'p', tip)
  tip = madeTip
end
for i = 1, puts do
  local expiry = ARGV[arg + i * 2]
  if expiry == '' then
    redis.call('SET', KEYS[at + i], entries[i])
  else
    redis.call('SET', KEYS[at + i], entries[i], 'PXAT', expiry)
  end
end
for i = 1, deletes do redis.call('DEL', KEYS[at + puts + i]) end
for _, change in ipairs(added) do redis.call('ZADD', change.listing, change.score, change.member) end
for _, change in ipairs(removed) do redis.call('ZREM', change.listing, change.member) end
for listing in pairs(touched) do
  local dead = redis.call('ZRANGEBYSCORE', listing, '-inf', now, 'LIMIT', 0, puts + ${clearedPerCommit})
  if #dead > 0 then redis.call('ZREM', listing, unpack(dead)) end
  local longest = redis.call('ZRANGE', listing, -1, -1, 'WITHSCORES')[2]
  if longest == 'inf' then redis.call('PERSIST', listing) end
  if longest and longest ~= 'inf' then redis.call('PEXPIREAT', listing, longest) end
end
redis.call('HSET', META, 'epoch', epoch or ARGV[2], 'facts', fact, 'outbox', event, 'bucket', bucket, 'tip', tip)
if facts > 0 then
  local oldest = redis.call('XRANGE', FACTS, '-', '+', 'COUNT', facts + ${clearedPerCommit})
  local keep -- the first fact to keep: the first young one, or what follows those looked at
  for _, logged in ipairs(oldest) do
    local sequence = tonumber(string.match(logged[1], '%d+'))
    keep = sequence
    if now - logged[2][6] < ${factsKeptMs} then break end
    keep = sequence + 1
  end
  redis.call('XTRIM', FACTS, 'MINID', math.max(keep, fact + 1 - ${maxFactsKept}))
end
return { 1, epoch or ARGV[2], fact, first, backlog + events, 0, previousTip }
`)
