-- wrk script: posts forms, each with the next token of a file.
-- wrk … -s requests.lua URL -- AUTHORIZATION PREFIX [TOKENS once|again]
-- The body is PREFIX, followed by the token. Tokens are of one length, so the head is the same for every request.
local head, prefix, tokens, count, sent, once = nil, nil, {}, 0, 0, false
exhausted = 0

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  prefix = args[2]
  local first = ""
  if args[3] then
    for line in io.lines(args[3]) do
      count = count + 1
      tokens[count] = line
      if #line ~= #tokens[1] then error("tokens are not of one length") end
    end
    once = args[4] == "once"
    first = tokens[1]
  end
  local headers = {
    ["Authorization"] = args[1],
    ["Content-Type"] = "application/x-www-form-urlencoded",
  }
  local whole = wrk.format("POST", nil, headers, prefix .. first)
  head = whole:sub(1, #whole - #first)
end

function request()
  if count == 0 then return head end
  sent = sent + 1
  if sent > count then
    if once then exhausted = 1 end
    sent = 1
  end
  return head .. tokens[sent]
end

function done(summary, latency)
  local used_up = 0
  for _, thread in ipairs(threads) do used_up = math.max(used_up, thread:get("exhausted")) end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"durationUs":%d,"bytes":%d,"p50Us":%.1f,"p99Us":%.1f,"non2xx":%d,"socketErrors":%d,"exhausted":%s}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, used_up == 1 and "true" or "false"
  ))
end
