// oidc-provider's storage interface on Redis: one JSON value per object, expiring with it; indexes only where the
// provider asks for one.
const indexedByGrant = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode'])
const grantKey = (id) => `grant:${id}`

/** @param {import('ioredis').Redis} redis */
export const redisAdapter = (redis) =>
  class RedisAdapter {
    constructor(model) {
      this.model = model
    }

    key(id) {
      return `${this.model}:${id}`
    }

    async upsert(id, payload, expiresIn) {
      const key = this.key(id)
      const value = JSON.stringify(payload)
      const indexes = []
      if (payload.grantId && indexedByGrant.has(this.model)) indexes.push(['sadd', grantKey(payload.grantId), key])
      if (payload.userCode) indexes.push(['set', `userCode:${payload.userCode}`, id, 'EX', expiresIn])
      if (payload.uid) indexes.push(['set', `uid:${payload.uid}`, id, 'EX', expiresIn])
      const put = expiresIn ? ['set', key, value, 'EX', expiresIn] : ['set', key, value]
      if (indexes.length === 0) return void (await redis.call(...put))
      await redis.multi([put, ...indexes]).exec()
    }

    async find(id) {
      const value = await redis.get(this.key(id))
      return value === null ? undefined : JSON.parse(value)
    }

    async findByUid(uid) {
      const id = await redis.get(`uid:${uid}`)
      return id === null ? undefined : this.find(id)
    }

    async findByUserCode(userCode) {
      const id = await redis.get(`userCode:${userCode}`)
      return id === null ? undefined : this.find(id)
    }

    async destroy(id) {
      await redis.del(this.key(id))
    }

    async revokeByGrantId(grantId) {
      const keys = await redis.smembers(grantKey(grantId))
      await redis.del(...keys, grantKey(grantId))
    }

    async consume(id) {
      const payload = await this.find(id)
      if (!payload) return
      payload.consumed = Math.floor(Date.now() / 1_000)
      await redis.set(this.key(id), JSON.stringify(payload), 'KEEPTTL')
    }
  }
