import { describe, expect, test } from '@jest/globals'
import { parseFigures } from './http-load.ts'

const wrkOutput = `Running 10s test @ http://127.0.0.1:4000/oauth2/introspect
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.08ms    1.16ms  40.91ms   97.95%
    Req/Sec    31.49k     2.07k   33.68k    91.00%
  313311 requests in 10.00s, 150.11MB read
  Non-2xx or 3xx responses: 7
Requests/sec:  31321.44
Transfer/sec:     15.01MB

{"requests":313311,"durationUs":10003000,"bytes":157401234,"p50Us":950.0,"p99Us":4310.0,"non2xx":7,"socketErrors":2,"exhausted":false}
`

describe('the figures of the HTTP generator', () => {
  test('are found after what wrk prints for people', () => {
    expect(parseFigures(wrkOutput)).toEqual({
      requests: 313311,
      seconds: 10.003,
      bytes: 157401234,
      p50Ms: 0.95,
      p99Ms: 4.31,
      non2xx: 7,
      socketErrors: 2,
      exhausted: false,
    })
  })

  test('are missed loudly, with what was printed instead', () => {
    expect(() => parseFigures('unable to connect to 127.0.0.1:1 Connection refused')).toThrow('Connection refused')
  })
})
