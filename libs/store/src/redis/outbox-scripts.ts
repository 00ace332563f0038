import { script } from './script.ts'

/** KEYS: .meta .outbox. ARGV: a sequence number, how many. Answers the epoch, how many there are, and those after it. */
export const outboxScript = script(`#!lua flags=allow-oom
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
local size, entries = redis.call('XLEN', KEYS[2]), {}
if tonumber(ARGV[2]) > 0 then
  entries = redis.call('XRANGE', KEYS[2], string.format('(%d-0', tonumber(ARGV[1])), '+', 'COUNT', ARGV[2])
end
return { epoch, size, entries }
`)

/** KEYS: .outbox. ARGV: sequence numbers, each followed by what the event there must begin with to be taken away. */
export const removeScript = script(`#!lua flags=allow-oom
local journaled = {}
for i = 1, #ARGV, 2 do
  local id = ARGV[i] .. '-0'
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if entry and string.sub(entry[2][2], 1, #ARGV[i + 1]) == ARGV[i + 1] then journaled[#journaled + 1] = id end
end
if #journaled > 0 then redis.call('XDEL', KEYS[1], unpack(journaled)) end
return #journaled
`)
