// The bare limit of gRPC here: grpc-js answering the product's messages with an answer as long as the product's, and
// nothing behind it. Generated codecs encode and decode, as in the product.
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import {
  IntrospectionService,
  IntrospectResponse,
  type IntrospectionServer,
} from '@countersign/contracts/introspection'

/** An answer of the product, base64. */
const response = IntrospectResponse.decode(Buffer.from(process.argv[2]!, 'base64'))

const echo: Pick<IntrospectionServer, 'introspect' | 'batchIntrospect' | 'streamIntrospect'> = {
  introspect: (_call, callback) => callback(null, response),
  batchIntrospect: ({ request }, callback) => callback(null, { responses: request.requests.map(() => response) }),
  streamIntrospect(call) {
    call.on('data', ({ id }: { id: number }) =>
      call.write({ id, outcome: { $case: 'response', value: response }, outcomes: [] }),
    )
    call.on('end', () => call.end())
  },
}

const server = new Server()
server.addService(IntrospectionService, echo as UntypedServiceImplementation)
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  process.send!({ port })
})
process.on('disconnect', () => process.exit())
