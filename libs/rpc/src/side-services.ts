import type { Server, ServerDuplexStream, UntypedHandleCall } from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, service as healthService } from 'grpc-health-check'
import type { Drainable } from './pipeline.ts'

type AnyStream = ServerDuplexStream<unknown, unknown>

/** The files of an encoded google.protobuf.FileDescriptorSet: field 1, repeated. */
function filesOf(descriptorSet: Uint8Array): Buffer[] {
  const files: Buffer[] = []
  let at = 0
  while (at < descriptorSet.length) {
    if (descriptorSet[at++] !== 0x0a) throw new Error('not a FileDescriptorSet')
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = descriptorSet[at++]
      if (byte === undefined || shift > 28) throw new Error('a truncated FileDescriptorSet')
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    files.push(Buffer.from(descriptorSet.subarray(at, at + length)))
    at += length
  }
  return files
}

/** Holds a stream's peer back when it asks faster than it reads, and ends the stream when the server goes away. */
const tamed =
  (handler: (call: AnyStream) => void, open: Set<Drainable>) =>
  (call: AnyStream): void => {
    const write = call.write.bind(call) as (message: unknown) => boolean
    call.write = ((message: unknown): boolean => {
      const hasRoom = write(message)
      if (!hasRoom) {
        call.pause?.()
        call.once('drain', () => call.resume?.())
      }
      return hasRoom
    }) as typeof call.write
    const entry = { drain: () => void call.end() }
    open.add(entry)
    call.on('cancelled', () => open.delete(entry))
    handler(call)
  }

/** Stands in for the server where a library adds its service, so that its streams are bounded and can be drained. */
function tamingServer(server: Server, open: Set<Drainable>): Pick<Server, 'addService'> {
  return {
    addService(definition, implementation) {
      const handlers = Object.entries(definition).map(([name, method]) => {
        const key = name in implementation ? name : method.originalName!
        const handler = implementation[key] as UntypedHandleCall
        return [key, method.responseStream ? tamed(handler as (call: AnyStream) => void, open) : handler]
      })
      server.addService(definition, Object.fromEntries(handlers))
    },
  }
}

/** grpc.health.v1 for the server (`''`) and each of its services. */
export function addHealth(server: Server, services: string[], open: Set<Drainable>): (isServing: boolean) => void {
  const health = new HealthImplementation()
  const setServing = (isServing: boolean) => {
    for (const service of ['', ...services]) health.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING')
  }
  setServing(false)
  health.addToServer(tamingServer(server, open) as Server)
  return setServing
}

/** grpc.reflection.v1 and v1alpha, for what an encoded FileDescriptorSet describes and for health. */
export function addReflection(
  server: Server,
  descriptorSet: Uint8Array,
  services: string[],
  open: Set<Drainable>,
): void {
  const described = { fileDescriptorProtos: filesOf(descriptorSet) }
  const root = { described, health: healthService.Check!.requestType } as unknown
  const reflection = new ReflectionService(root as ConstructorParameters<typeof ReflectionService>[0], {
    services: [...services, 'grpc.health.v1.Health'],
  })
  reflection.addToServer(tamingServer(server, open))
}
