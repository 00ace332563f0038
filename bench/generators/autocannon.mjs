// The HTTP generator where wrk is not installed; prints one line of JSON as requests.lua does.
// node autocannon.mjs URL CONNECTIONS SECONDS AUTHORIZATION PREFIX [TOKENS once|again]
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'

const [url, connections, duration, authorization, prefix, file, use] = process.argv.slice(2)
const tokens = file ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
let sent = 0
let exhausted = false

function next() {
  if (tokens.length === 0) return prefix
  if (sent === tokens.length) {
    exhausted ||= use === 'once'
    sent = 0
  }
  return prefix + tokens[sent++]
}

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(duration),
  method: 'POST',
  headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
  requests: [{ setupRequest: (request) => ({ ...request, body: next() }) }],
})

console.log(
  JSON.stringify({
    requests: result['2xx'] + result.non2xx,
    durationUs: result.duration * 1e6,
    bytes: result.throughput.total,
    p50Us: result.latency.p50 * 1e3,
    p99Us: result.latency.p99 * 1e3,
    non2xx: result.non2xx,
    socketErrors: result.errors + result.timeouts,
    exhausted,
  }),
)
