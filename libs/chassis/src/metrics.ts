import { collectDefaultMetrics, Registry } from 'prom-client'
import { collected, Durations, type Value } from './histogram.ts'
import { durationBuckets } from './limits.ts'

type Labels = Readonly<Record<string, string>>

/** A histogram's series by their labels. Ask once and keep what you get. */
export interface Histogram {
  series(labels: Labels): Durations
}

/** What is measured. Values are read when somebody scrapes, so that counting costs a request nothing. */
export interface Metrics {
  /** A number that goes up and down. The same name may be given once per set of labels. */
  gauge(name: string, help: string, read: () => number, labels?: Labels): void
  /** A number that only grows; by custom its name ends in `_total`. */
  counter(name: string, help: string, read: () => number, labels?: Labels): void
  /** Durations in seconds; by custom its name ends in `_seconds`. Asked again it is the same one. */
  histogram(name: string, help: string): Histogram
  readonly contentType: string
  /** In Prometheus's text format. */
  text(): Promise<string>
}

/** Metrics of one process: its own (memory, event loop, …) and what is added. `name` is the label `service` of all. */
export function createMetrics({ name: service }: { name: string }): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry })
  const readings = new Map<string, (() => Value)[]>()
  const histograms = new Map<string, Histogram>()

  const add =
    (type: string) =>
    (name: string, help: string, read: () => number, labels: Labels = {}) => {
      const reading = () => ({ labels, value: read() })
      const known = readings.get(name)
      if (known) return void known.push(reading)
      const all = [reading]
      readings.set(name, all)
      registry.registerMetric(collected(name, help, type, () => all.map((value) => value())))
    }

  function histogram(name: string, help: string): Histogram {
    const known = histograms.get(name)
    if (known) return known
    const all = new Map<string, { labels: Labels; durations: Durations }>()
    const made: Histogram = {
      series(labels) {
        const key = JSON.stringify(labels)
        const found = all.get(key)
        if (found) return found.durations
        const durations = new Durations(durationBuckets)
        all.set(key, { labels, durations })
        return durations
      },
    }
    histograms.set(name, made)
    const values = () => [...all.values()].flatMap(({ labels, durations }) => durations.values(name, labels))
    registry.registerMetric(collected(name, help, 'histogram', values))
    return made
  }

  return {
    gauge: add('gauge'),
    counter: add('counter'),
    histogram,
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}
