import type { Metric } from 'prom-client'

type Labels = Readonly<Record<string, string>>

/** Durations of one kind, counted in plain numbers; they become Prometheus series only when somebody scrapes. */
export class Durations {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(seconds: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += seconds
  }

  /** As Prometheus has them: cumulative, and with a bucket that holds all. */
  values(name: string, labels: Labels) {
    let total = 0
    const buckets = this.#counts.map((count, bucket) => {
      total += count
      const le = this.#bounds[bucket]
      return { metricName: `${name}_bucket`, labels: { ...labels, le: String(le ?? '+Inf') }, value: total }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: total },
    ]
  }
}

export interface Value {
  metricName?: string
  labels: Labels
  value: number
}

/** A metric whose values are read when it is scraped, in the form that prom-client's registry asks for. */
export const collected = (name: string, help: string, type: string, values: () => Value[]): Metric =>
  ({
    name,
    get: () => Promise.resolve({ name, help, type, aggregator: 'sum', values: values() }),
    reset: () => undefined,
  }) as unknown as Metric
