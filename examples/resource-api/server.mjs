// An API that asks Countersign who its callers are: node server.mjs
import { once } from 'node:events'
import { createVerifier } from '@countersign/sdk'
import { requireScope, requireToken } from '@countersign/sdk/express'
import express from 'express'

const {
  COUNTERSIGN_TARGET: target,
  COUNTERSIGN_CLIENT_ID: clientId = 'reports-api',
  COUNTERSIGN_CLIENT_SECRET: clientSecret,
  PORT = '8000',
} = process.env

// One for the whole process. Without a target authentication is off, which it says loudly.
const verifier = createVerifier({ target, credentials: clientSecret && { clientId, clientSecret } })

const reports = [{ id: 1, title: 'Rainfall, 2025' }]

const api = express()
api.get('/healthz', (_request, response) => response.json({ ok: true }))
api.get('/metrics', (_request, response) => response.type('text/plain').send(verifier.metrics()))

// From here on, nobody without a token that is meant for this API.
api.use(requireToken(verifier, { realm: 'reports', audience: 'https://reports.example' }))
api.get('/reports', requireScope('read:reports'), (request, response) => {
  response.json({ for: request.auth.subject, reports })
})
api.post('/reports', requireScope('write:reports'), express.json(), (request, response) => {
  const report = { id: reports.length + 1, title: String(request.body?.title ?? 'Untitled') }
  reports.push(report)
  response.status(201).json(report)
})

const server = api.listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')
console.log(`listening on http://127.0.0.1:${server.address().port}`)
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => verifier.close())
    server.closeIdleConnections()
  })
}
