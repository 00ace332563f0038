import { join } from 'node:path'
import { setupTokenFrom } from '@countersign/assembly'
import { freePort, repositoryRoot, ServerProcess, startEmbedded, temporaryFolder, Visitor } from '@countersign/servers'
import { authorizationCodeSeconds, countersignClients, makeSecrets, peerSettings } from './settings.ts'
import { Side } from './side.ts'

export interface Servers {
  countersign: Side
  peer: Side
  stop(): Promise<void>
}

const person = { loginName: 'alice', password: 'correct horse battery' }

/** Both servers, and one person with an account at each. */
export async function startServers(): Promise<Servers> {
  const secrets = makeSecrets()
  const config = [
    'providers: [ { id: staff, kind: local } ]',
    `lifetimes: { authorization_code: ${authorizationCodeSeconds}s, refresh_grace: 0s }`,
    'throttle: { failed_authentications_per_minute: 0, failed_grants_per_minute: 0 }',
  ].join('\n')
  const embedded = await startEmbedded({ clients: countersignClients(secrets), config })
  const { batch, 'reports-api': reportsApi } = embedded.secrets
  const all = makeSecrets({ ...secrets, batch, 'reports-api': reportsApi })
  const stopping: { stop(): Promise<void> }[] = [embedded]
  const stop = async () => void (await Promise.all(stopping.map((server) => server.stop())))
  try {
    const port = await freePort()
    const peer = new ServerProcess({
      program: process.execPath,
      args: [
        join(repositoryRoot, 'apps/token-issuer/test/differential/peer.mjs'),
        String(port),
        JSON.stringify(peerSettings(all)),
      ],
      port,
      folder: temporaryFolder('peer'),
    })
    stopping.push(peer)
    await peer.start()
    const visitor = new Visitor(embedded.issuerUrl)
    await visitor.go(`/setup?token=${setupTokenFrom(Buffer.from(embedded.masterKey))}`)
    const { loginName, password } = person
    await visitor.submit({
      login_name: loginName,
      name: 'Alice',
      email: 'alice@example.org',
      password,
      password_again: password,
    })
    return {
      countersign: new Side(embedded.issuerUrl, all, person),
      peer: new Side(`http://127.0.0.1:${port}`, all, person),
      stop,
    }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}
