import type { CallObserver } from '@countersign/rpc'
import type { Durations } from './histogram.ts'
import type { Metrics } from './metrics.ts'

const observer = (metrics: Metrics, name: string, help: string) => {
  const histogram = metrics.histogram(name, help)
  const series = new Map<string, Durations>()
  return (path: string, outcome: string, durationMs: number): void => {
    const key = path + outcome
    let durations = series.get(key)
    if (!durations) series.set(key, (durations = histogram.series({ method: path, outcome })))
    durations.observe(durationMs / 1_000)
  }
}

/** For an rpc server's `onCall`. */
export const rpcServerObserver = (metrics: Metrics): CallObserver =>
  observer(metrics, 'countersign_rpc_server_duration_seconds', 'How long gRPC calls took to answer, by outcome.')

/** For an rpc client's `onCall`. */
export const rpcClientObserver = (metrics: Metrics): CallObserver =>
  observer(metrics, 'countersign_rpc_client_duration_seconds', 'How long gRPC calls to others took, by outcome.')
