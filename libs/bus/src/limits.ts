/** Handing batches to a consumer whose handler fails. */
export const deliveryLimits = {
  /** For a batch to fill up; each costs the journal a transaction. */
  gatherMs: 5,
  /** Before a batch that failed is tried again: the first time, and the longest after doubling. */
  firstPauseMs: 100,
  longestPauseMs: 5_000,
  /** Failures in a row after which a message that fails alone is set aside, so that the others go on. */
  failuresBeforeAside: 3,
  /** Messages set aside at once; the oldest is given up then, and left to the relay. */
  asideMessages: 100,
  /** Longest pause between two tries of a message set aside. */
  longestAsidePauseMs: 60_000,
}
export type DeliveryLimits = typeof deliveryLimits

/** The bus of one process. */
export const inProcessLimits = {
  /** Waiting for one consumer: a second at full load, about 10 MB. What is over is dropped, and left to the relay. */
  queuedMessages: 10_000,
  /** While closing, for handlers to take what is queued. */
  closeMs: 2_000,
}

/** The journal's answers and acknowledgements. */
export const identifierLimits = {
  /** Ids in one NATS message: well under the smallest maximum payload in use (64 KiB), and what one SQL query takes. */
  bytesPerMessage: 48 * 1_024,
  /** Questions that one process answers at once; further ones are told `unavailable`. */
  questionsAtOnce: 16,
}

/** Answers that one survey takes: more processes than anybody runs. */
export const surveyAnswers = 1_000

/** Events whose place in the outbox is remembered: seconds at full load, about 15 MB. The sweep finds the others. */
export const pendingEvents = 100_000

/** Taking journaled events out of the outbox, and publishing lost ones again. */
export const relayLimits = {
  /** Acknowledged events are collected for so long, so that one removal takes many. */
  collectMs: 20,
  /** Outbox entries per read, per question and per removal. */
  pageEntries: 1_000,
  /** Between sweeps; up to as much again at random, so that replicas do not sweep in step. */
  sweepMs: 750,
  /** An event is on its way for so long before anybody asks what became of it. */
  youngMs: 2_000,
  /** A question to the journal. */
  askMs: 2_000,
  /** Without one more acknowledgement, before the next page of lost events waits for the next sweep. */
  patienceMs: 1_000,
  /** Between looks at which of a page are acknowledged. */
  settleMs: 10,
  /** Pages that one sweep asks about in vain, while none of their events may be published again yet. */
  waitingPages: 4,
  /** Between sweeps when nobody answers and nothing is acknowledged, after doubling. */
  longestSweepMs: 30_000,
  /** Sweeps before the same event is published again: at first, and at most after doubling. */
  firstPatienceSweeps: 2,
  longestPatienceSweeps: 32,
}
export type RelayLimits = typeof relayLimits

export const natsLimits = {
  /** From connecting to a server's first words, and to the end of the handshake. */
  connectMs: 3_000,
  /** Between attempts to connect: the first and the longest after doubling; each at random between half and whole. */
  firstReconnectMs: 200,
  longestReconnectMs: 2_000,
  /** Different reasons for being down that are logged until it is up again. */
  troublesTold: 10,
  /** Two unanswered pings and a third interval, and a connection is dead: noticed within 6 s. */
  pingIntervalMs: 2_000,
  unansweredPings: 2,
  /** One call to JetStream's management. */
  managementMs: 5_000,
  /** Between looks at whether the stream is still there. */
  streamCheckMs: 5_000,
  /** Messages are collected for so long. Measured at 10,000/s: a quarter of the server's cost without. */
  collectMs: 10,
  /** Messages collected; further ones are dropped. */
  waitingMessages: 10_000,
  /** What the headers of one message are taken for. */
  headerBytes: 300,
  /** Bytes sent that the server has not confirmed reading; beyond them messages are dropped, not buffered. */
  unconfirmedBytes: 8 * 1_024 * 1_024,
  /** Bytes after which a confirmation (PING, PONG) is asked for. */
  confirmEveryBytes: 256 * 1_024,
  /** While closing, for the server to take what was sent. */
  closeMs: 2_000,
  /** Batches fetched ahead of the handler. */
  batchesAhead: 3,
  /** Life of one fetch, and the heartbeat within it; two missed ones end it. */
  fetchMs: 30_000,
  fetchHeartbeatMs: 1_000,
  /** Unacknowledged for so long, a message is delivered again, maybe to another replica. */
  acknowledgeMs: 10_000,
  /** Delivered and unacknowledged, over all replicas of a consumer. */
  unacknowledgedMessages: 20_000,
  /** The stream drops the same event id published twice within this time. */
  duplicateWindowMs: 30_000,
  /** Defaults of the stream: nothing rests on what it keeps, and it may be read by others after the journal. */
  maxAgeMs: 24 * 3_600_000,
  maxBytes: 1_024 * 1_024 * 1_024,
}
