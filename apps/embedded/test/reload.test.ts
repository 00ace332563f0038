import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MainJob, startEmbedded, until, type Embedded } from '@countersign/servers'

describe('SIGHUP', () => {
  let embedded: Embedded
  let job: MainJob
  let file: string

  beforeAll(async () => {
    embedded = await startEmbedded({
      clients: ['{ id: passing, secret: passing-secret-passing, grants: [client_credentials], audience: [reports] }'],
    })
    job = new MainJob(embedded)
    file = join(embedded.process.folder, 'countersign.yaml')
  })
  afterAll(() => embedded?.stop())

  const reload = (change: (text: string) => string) => {
    writeFileSync(file, change(readFileSync(file, 'utf8')))
    process.kill(embedded.process.pid, 'SIGHUP')
  }

  test('takes on a new client, and ends one that is gone with all its tokens', async () => {
    const issued = await job.issueTo('passing', 'passing-secret-passing')
    const { access_token: token } = issued.json<{ access_token: string }>()
    expect(await job.isActive(token)).toBe(true)
    reload((text) => text.replace('id: passing', 'id: coming'))
    await until(async () => (await job.issueTo('coming', 'passing-secret-passing')).status === 200)
    expect((await job.issueTo('passing', 'passing-secret-passing')).status).toBe(401)
    await until(async () => !(await job.isActive(token)))
    await until(async () => (await job.events('&type=client.deleted&client_id=passing')).length === 1)
  })

  test('with a mistake in the file changes nothing, and says where it is', async () => {
    reload((text) => `${text}\nnonsense: true\n`)
    await until(() => embedded.process.output.includes('nonsense'))
    expect((await job.issue()).status).toBe(200)
    reload((text) => text.replace('\nnonsense: true\n', ''))
    await until(async () => (await job.issueTo('coming', 'passing-secret-passing')).status === 200)
  })
})
