import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestAuthority } from '@countersign/rpc/testing/certificates'
import { startPostgres, until, type PostgresServer } from '@countersign/servers'
import { openJournal } from '@countersign/service-audit/open'

describe('a journal in a PostgreSQL that speaks TLS only', () => {
  const [ours, other] = [new TestAuthority(), new TestAuthority()]
  let postgres: PostgresServer

  beforeAll(async () => {
    const { cert, key } = ours.issue('postgres')
    postgres = await startPostgres({ tls: { cert: cert.toString(), key: key.toString() } })
  }, 60_000)
  afterAll(async () => {
    await postgres?.stop()
    for (const authority of [ours, other]) authority.remove()
  })

  const headWith = async (ca: Buffer | undefined) => {
    const journal = await openJournal({ url: postgres.url, ...(ca && { tls: { ca: ca.toString() } }) })
    try {
      return await journal.head()
    } finally {
      await journal.close()
    }
  }

  test('is reached when its certificate is of an authority that audit.tls names', async () => {
    await until(async () => (await headWith(ours.ca)) === 0)
  })

  test('is not reached without TLS, nor with a certificate of anybody else', async () => {
    await expect(headWith(undefined)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(headWith(other.ca)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
