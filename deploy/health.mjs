// The image's health check: whether the service in this container is ready.
const [, host, port] = /^(.*):(\d+)$/.exec(process.env.COUNTERSIGN_LISTEN__MANAGEMENT ?? '127.0.0.1:9464')
const everywhere = /^(0\.0\.0\.0|\[::\])$/.test(host)
const url = `http://${everywhere ? '127.0.0.1' : host}:${port}/readyz`
const isReady = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
  (response) => response.ok,
  () => false,
)
process.exit(isReady ? 0 : 1)
