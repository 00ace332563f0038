// The least that any introspection over HTTP must do: read the form, look the token up in Redis, send what is there.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'

const redis = new Redis(process.argv[2]!, { enableAutoPipelining: false })
const field = 'token='

const server = createServer((request, response) => {
  let form = ''
  request.setEncoding('latin1')
  request.on('data', (chunk: string) => (form += chunk))
  request.on('end', async () => {
    const answer = await redis.get(form.slice(field.length))
    const body = answer ?? '{}'
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    response.writeHead(answer === null ? 404 : 200, headers).end(body)
  })
})
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
