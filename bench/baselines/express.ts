// The bare limit of Express: one route, one fixed answer as long as the product's.
import type { AddressInfo } from 'node:net'
import express from 'express'

const answer = JSON.parse(process.argv[2]!) as object

const app = express()
app.post('/oauth2/introspect', (_request, response) => void response.json(answer))

const server = app.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
