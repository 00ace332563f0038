import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { credentials, makeGenericClientConstructor, type ServiceDefinition } from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { service as healthService } from 'grpc-health-check'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { frame, rawCall, rawSession } from './testing/raw.ts'
import { keptLog, serve, until, type Served } from './testing/service.ts'
import { createRpcServer } from './server.ts'

const descriptorSet = readFileSync(fileURLToPath(import.meta.resolve('@countersign/contracts/descriptor')))
const introspection = 'countersign.introspection.v1.Introspection'

interface ReflectionResponse {
  listServicesResponse: { service: { name: string }[] }
  fileDescriptorResponse: { fileDescriptorProto: Uint8Array[] }
}

/** The definitions that the reflection library adds to a server: v1, then v1alpha. */
function reflectionDefinitions(): ServiceDefinition[] {
  const definitions: ServiceDefinition[] = []
  new ReflectionService({}).addToServer({ addService: (definition) => void definitions.push(definition) })
  return definitions
}

const clientOf = (definition: ServiceDefinition, target: string) =>
  new (makeGenericClientConstructor(definition, 'side'))(target, credentials.createInsecure())

describe('beside its services a server', () => {
  let served: Served
  beforeAll(async () => {
    served = await serve({}, { descriptorSet })
  })
  afterAll(() => served.server.close(0))

  const check = (service: string) =>
    new Promise<string>((resolve) => {
      const client = clientOf(healthService as ServiceDefinition, served.target)
      client.check!({ service }, (error: Error | null, response: { status: string }) => {
        client.close()
        resolve(error ? error.message : response.status)
      })
    })

  test('answers health checks for itself and for each service, and not for others', async () => {
    expect(await check('')).toBe('SERVING')
    expect(await check(introspection)).toBe('SERVING')
    expect(await check('other.Service')).toContain('NOT_FOUND')
    served.server.setServing(false)
    expect(await check(introspection)).toBe('NOT_SERVING')
    served.server.setServing(true)
  })

  test.each(reflectionDefinitions().map((definition) => [Object.values(definition)[0]!.path, definition] as const))(
    'reflects its services: %s',
    async (_, definition) => {
      const client = clientOf(definition, served.target)
      const stream = client.ServerReflectionInfo!()
      const responses: ReflectionResponse[] = []
      stream.on('data', (response: ReflectionResponse) => responses.push(response))
      stream.write({ listServices: '*' })
      stream.write({ fileContainingSymbol: `${introspection}.Introspect` })
      await until(() => responses.length === 2)
      stream.end()
      const names = responses[0]!.listServicesResponse.service.map(({ name }) => name)
      expect(names.sort()).toEqual([introspection, 'grpc.health.v1.Health'])
      const file = Buffer.from(responses[1]!.fileDescriptorResponse.fileDescriptorProto[0]!).toString('latin1')
      expect(file).toContain('BatchIntrospectRequest')
      client.close()
    },
  )

  test('holds back a peer that asks reflection for more than it reads', async () => {
    const method = reflectionDefinitions()[0]!.ServerReflectionInfo!
    const session = rawSession(served.target)
    const stream = rawCall(session, method.path)
    stream.pause()
    const ask = frame(method.requestSerialize({ fileContainingSymbol: `${introspection}.Introspect` }))
    stream.write(Buffer.concat(Array.from({ length: 20_000 }, () => ask)))
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(stream.writableLength).toBeGreaterThan(0)
    session.destroy()
  })

  test('tells watchers that it goes away, and does not wait for them', async () => {
    const second = createRpcServer({ services: [], log: keptLog() })
    const { port } = await second.listen({ host: '127.0.0.1', port: 0 })
    const client = clientOf(healthService as ServiceDefinition, `127.0.0.1:${port}`)
    const watch = client.watch!({ service: '' })
    const seen: string[] = []
    watch.on('data', ({ status }: { status: string }) => seen.push(status))
    watch.on('error', () => undefined)
    await until(() => seen.length === 1)
    const startedMs = performance.now()
    await second.close(60_000)
    expect(performance.now() - startedMs).toBeLessThan(30_000)
    expect(seen).toEqual(['SERVING', 'NOT_SERVING'])
    client.close()
  })
})
