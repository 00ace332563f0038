// What a service without Countersign does: it verifies a JWT's signature, with the library that most use, on one core.
import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose'
import { Latencies } from '../generators/latencies.ts'

const { algorithm, concurrency } = JSON.parse(process.argv[2]!) as { algorithm: string; concurrency: number }
const [issuer, audience] = ['https://issuer.example', 'https://reports.example']

const pair = await generateKeyPair(algorithm, { extractable: true })
const key = await importJWK(await exportJWK(pair.publicKey), algorithm)
const sign = (n: number) =>
  new SignJWT({ scope: 'read:reports', client_id: 'batch', jti: String(n) })
    .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: 'k' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('batch')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(pair.privateKey)
const tokens = await Promise.all(Array.from({ length: 100 }, (_, n) => sign(n)))
const options = { issuer, audience, algorithms: [algorithm], typ: 'at+jwt' }

async function verifyRepeatedly(first: number, until: number, latencies: Latencies): Promise<number> {
  let checks = 0
  for (let at = first; ; at++) {
    const from = performance.now()
    if (from >= until) return checks
    const { payload } = await jwtVerify(tokens[at % tokens.length]!, key, options)
    if (!String(payload['scope']).split(' ').includes('read:reports')) throw new Error('a token was not verified')
    checks++
    latencies.add(performance.now() - from)
  }
}

process.on('message', async ({ seconds }: { seconds: number }) => {
  const latencies = new Latencies()
  const from = performance.now()
  const until = from + seconds * 1_000
  const workers = Array.from({ length: concurrency }, (_, n) => verifyRepeatedly(n, until, latencies))
  const checks = (await Promise.all(workers)).reduce((sum, each) => sum + each, 0)
  process.send!({ checks, seconds: (performance.now() - from) / 1_000, latenciesMs: latencies.values() })
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })
