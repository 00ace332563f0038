export interface Edit {
  /** From the root of the repository. */
  file: string
  /** Is there exactly once. */
  text: string
  replacement: string
}

/** A rule of the protocol, switched off in the real sources as they are loaded. */
export interface Mutant {
  name: string
  /** What goes wrong without the rule. */
  why: string
  edits: Edit[]
}

const cache = 'libs/leased-cache/src/cache.ts'
const answers = 'libs/leased-cache/src/answers.ts'
const view = 'libs/leased-cache/src/view.ts'
const verifier = 'libs/sdk/src/verifier.ts'
const watching = 'libs/sdk/src/watching.ts'
const engine = 'libs/services/introspection/src/engine.ts'
const feed = 'libs/services/introspection/src/feed.ts'
const watch = 'libs/services/introspection/src/watch.ts'
const factLog = 'libs/store/src/fact-log.ts'
const sweep = 'libs/bus/src/sweep.ts'
const revoke = 'libs/tokens/src/revoke.ts'

const lease: Mutant[] = [
  {
    name: 'lease-stamped-on-receipt',
    why: 'an answer that was long on its way proves nothing about the time in which it was',
    edits: [
      {
        file: cache,
        text: 'this.#settleLog(log, sent)',
        replacement: 'this.#settleLog(log, { ...sent, sentMs: this.#clock.monotonicMs(), sentAt: this.#clock.now() })',
      },
    ],
  },
  {
    name: 'nonce-not-matched',
    why: 'an answer to an old probe renews with the time of a newer one',
    edits: [
      {
        file: cache,
        text: 'const sent = this.#probes.get(nonce)',
        replacement: 'const sent = [...this.#probes.values()].at(-1)',
      },
    ],
  },
  {
    name: 'drift-not-given-up',
    why: 'on a slow clock a lease is longer than B',
    edits: [{ file: cache, text: '(1 - this.#limits.drift)', replacement: '1' }],
  },
  {
    name: 'wall-clock-alone',
    why: 'the time of day may be set back',
    edits: [{ file: cache, text: 'monotonicMs - freshMs <= leaseMs && ', replacement: '' }],
  },
  {
    name: 'probe-answered-from-an-earlier-reading',
    why: 'a reading that had begun before a probe came may be older than the probe',
    edits: [
      {
        file: feed,
        text: 'await this.#tell(served, proven)',
        replacement:
          'const late = [...this.#waiting].map((each) => each.onReading())\n    this.#waiting.clear()\n    await this.#tell([...served, ...late], proven)',
      },
    ],
  },
  {
    name: 'half-a-reading-told-as-a-whole',
    why: 'a partition whose head could not be read is not proven',
    edits: [
      {
        file: watch,
        text: 'cache.logsAfter(places, proven)',
        replacement: 'cache.logsAfter(places, [0, 1, 2, ...proven.filter((each) => each > 2)])',
      },
    ],
  },
  {
    name: 'max-staleness-not-asked',
    why: 'a service with a longer lease answers an SDK with a shorter one',
    edits: [
      {
        file: verifier,
        text: "tokenTypeHint: '', minRevision: minRevisions, staleness }",
        replacement: "tokenTypeHint: '', minRevision: minRevisions }",
      },
    ],
  },
  {
    name: 'max-staleness-ignored',
    why: 'a caller is answered from an older view than it asked for',
    edits: [{ file: engine, text: 'cache.get(token, maxStalenessMs)', replacement: 'cache.get(token)' }],
  },
]

const fills: Mutant[] = [
  {
    name: 'sdk-ticket-taken-at-arrival',
    why: 'a fact that came while the question was under way is not seen',
    edits: [
      {
        file: verifier,
        text: 'this.#keep(token, response, known, ticket, partition)',
        replacement: 'this.#keep(token, response, known, this.#cache.ticket(), partition)',
      },
    ],
  },
  {
    name: 'service-ticket-taken-at-arrival',
    why: 'a fact that came while the store was read is not seen',
    edits: [{ file: engine, text: 'cache!.keep(ticket, token', replacement: 'cache!.keep(cache!.ticket(), token' }],
  },
  {
    name: 'fill-without-min-revision',
    why: 'a replica that is behind answers from before a fact that this cache has passed',
    edits: [{ file: verifier, text: 'this.#cache.minRevision(partition) :', replacement: "'' :" }],
  },
  {
    name: 'min-revision-without-tip',
    why: 'a replica that has not noticed yet that the store went back takes the number for one of the old history',
    edits: [
      {
        file: cache,
        text: "(tip === '' ? revision : `${revision}~${tip}`)",
        replacement: '(tip.length >= 0 ? revision : tip)',
      },
    ],
  },
  {
    name: 'min-revision-ignored',
    why: 'a caller is answered from an older view than it asked for',
    edits: [
      {
        file: engine,
        text: "minRevision === '' || cache.covers(minRevision) ?",
        replacement: 'minRevision.length >= 0 ?',
      },
    ],
  },
  {
    name: 'fill-from-before-the-first-watermark',
    why: 'facts that came before there was a view were not noted',
    edits: [
      {
        file: cache,
        text: 'new View(head, log.tip, this.#answers.mark(),',
        replacement: 'new View(head, log.tip, 0,',
      },
    ],
  },
  {
    name: 'fill-from-before-a-flush',
    why: 'what was skipped by beginning anew was not noted',
    edits: [
      {
        file: answers,
        text: '    // A copy: a token',
        replacement: '    if (view?.wasFlushed) tick = Math.max(tick, view.validFrom)\n    // A copy: a token',
      },
      { file: view, text: '    this.ahead.clear()', replacement: '    this.ahead.clear()\n    this.wasFlushed = true' },
    ],
  },
  {
    name: 'joining-an-earlier-question',
    why: 'its answer may be from before the request began by more than B',
    edits: [{ file: verifier, text: 'if (!asking.isPut) {', replacement: 'if (asking) {' }],
  },
  {
    name: 'waiting-push-not-noted-again',
    why: 'what was asked for while the push waited was asked for with an older revision',
    edits: [
      {
        file: cache,
        text: 'this.#note(view, fact)\n        view.append({ sequence',
        replacement: 'if (next === push) this.#note(view, fact)\n        view.append({ sequence',
      },
    ],
  },
]

const log: Mutant[] = [
  {
    name: 'gap-ignored',
    why: 'the facts in between never come',
    edits: [
      {
        file: cache,
        text: 'first === view.sequence + 1 && push.previousTip === view.tip) {',
        replacement:
          'first > view.sequence) {\n      Object.assign(view, { sequence: first - 1, tip: push.previousTip })',
      },
    ],
  },
  {
    name: 'epoch-ignored',
    why: 'another store that begins its log is taken for the old one',
    edits: [
      { file: cache, text: 'log.otherHistory || head.epoch !== view.epoch ||', replacement: 'log.otherHistory ||' },
      { file: cache, text: 'if (head.epoch === view.epoch && first === view', replacement: 'if (first === view' },
      { file: view, text: 'place.epoch !== this.epoch || ', replacement: '' },
      { file: factLog, text: ' || place.epoch !== head.epoch', replacement: '' },
    ],
  },
  {
    name: 'rollback-not-noticed',
    why: 'another fact has the number of one that this cache has',
    edits: [
      { file: factLog, text: 'tip !== undefined && tipThere !== undefined && ', replacement: 'tip === null && ' },
      { file: view, text: 'if (tip !== place.tip)', replacement: 'if (tip === null)' },
      { file: cache, text: ' || !isOneHistory(view, log)) {', replacement: ') {' },
      { file: cache, text: ' && push.previousTip === view.tip) {', replacement: ') {' },
      { file: cache, text: 'while (next?.previousTip === view.tip) {', replacement: 'while (next) {' },
      { file: cache, text: 'return tip === undefined || view', replacement: 'return true || view' },
    ],
  },
  {
    name: 'sequence-going-back-ignored',
    why: 'a store that went back has facts with numbers that this cache has passed',
    edits: [
      {
        file: factLog,
        text: 'if (missing < 0) return answer(false, true)',
        replacement: 'if (missing < 0) return answer(true, false)',
      },
      {
        file: view,
        text: ' || place.sequence > this.sequence) return',
        replacement: ' && place.sequence > this.sequence) return',
      },
      { file: cache, text: ' || head.sequence < sent.sequence', replacement: '' },
      {
        file: cache,
        text: 'log.facts.length !== head.sequence - sent.sequence',
        replacement: 'log.facts.length < head.sequence - sent.sequence',
      },
      { file: cache, text: ' || !isOneHistory(view, log)) {', replacement: ') {' },
    ],
  },
  {
    name: 'revocation-without-a-fact',
    why: 'no cache hears of it',
    edits: [{ file: revoke, text: "commit.facts.push({ kind: 'token', id: recordDigest })", replacement: '' }],
  },
]

const living: Mutant[] = [
  {
    name: 'lost-stream-not-opened-again',
    why: 'the cache never answers from memory again',
    edits: [{ file: watching, text: 'this.#isClosed || this.start())', replacement: 'undefined)' }],
  },
  {
    name: 'no-answer-taken-for-inactive',
    why: 'a good token is refused while the store is away',
    edits: [
      {
        file: engine,
        text: 'await reader.follow(tokenKey(partition, digest))',
        replacement: 'await reader.follow(tokenKey(partition, digest)).catch(() => undefined)',
      },
    ],
  },
  {
    name: 'outbox-emptied-unasked',
    why: 'events that the bus lost never get to the journal',
    edits: [{ file: sweep, text: 'items.filter(({ event }) => held?.has(event.id))', replacement: 'items' }],
  },
]

export const mutants: readonly Mutant[] = [...lease, ...fills, ...log, ...living]
