/** What one round of load on a contender gave. */
export interface Load {
  /** Units per second. */
  perSecond: number
  p50Ms: number
  p99Ms: number
  errors: number
}

/** A server under load in one way: the product, a baseline or a peer. */
export interface Contender {
  /** Names it in the table and in comparisons. */
  name: string
  /** What is counted, e.g. `tokens/s`. */
  unit: string
  /** The process that serves first, then those it rests on, by name. */
  processes: Readonly<Record<string, number>>
  /** Before every round, outside the measurement. */
  prepare?(seconds: number): Promise<void>
  /** Asks once as the load does, before every round. @throws Error when the answer is not right */
  verify(): Promise<void>
  /**
   * @param onGenerator gets the process id of each generator
   * @throws Error when an answer was wrong or missing
   */
  run(seconds: number, onGenerator: (pid: number) => void): Promise<Load>
  /** After a round, outside the measurement: waits until the system is quiet again. */
  settle?(): Promise<void>
}

/** A question that a suite answers: how fast is one against another. */
export interface Comparison {
  /** What is measured, e.g. `valid token`. */
  metric: string
  contender: string
  baseline?: string
  /** The least ratio that is good enough. */
  target?: number
}

/** A figure that is not of a load, e.g. bytes per token. */
export interface Figure {
  metric: string
  unit: string
  value: number
  baseline?: string
  baselineValue?: number
  /** ± per cent over the rounds. */
  spread?: number
  /** Whether it is as good as it must be. */
  good?: boolean
  /** What it must be, for people. */
  bound?: string
}

/** All rounds of one contender. */
export interface Measured {
  name: string
  unit: string
  rounds: Round[]
}

export interface Round extends Load {
  /** Of the process that serves. */
  residentMib: number | undefined
  peakMib: number | undefined
  /** Processors kept busy, by process; the generators together are `generator`. */
  cores: Readonly<Record<string, number>>
}

export interface Outcome {
  suite: string
  measured: Measured[]
  comparisons: Comparison[]
  figures: Figure[]
}
