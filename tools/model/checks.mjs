/**
 * What is checked of docs/verification/lease.pml. `holds`: the whole world is searched, and no error found. Otherwise
 * the shortest error is looked for, has to be found, and has to be told in these steps, among others.
 */
const world = (name, size) => ({ name, size, holds: true })
const broken = (name, size, ...steps) => ({ name: `without ${name}`, size: { ...size, [name]: 0 }, steps })
const witness = (name, n, size = { FACTS: 2 }) => ({
  name,
  size: { ...size, WITNESS: n },
  steps: ['cache gets the answer active'],
})

const revoked = 'revocation of the token acknowledged'
const hit = 'cache answers active'
const setBack = 'store is set back to 0'

export const checks = [
  world('a cache over the store', { FACTS: 3 }),
  world('the same, B of two ticks', { FACTS: 2, BOUND: 2 }),
  world('the same, two probes at once', { FACTS: 1, PROBES: 2 }),
  world('an SDK over one replica', { FACTS: 2, REPLICAS: 1 }),
  world('an SDK over two replicas', { FACTS: 1, REPLICAS: 2 }),

  broken('ANCHOR_AT_SENDING', { FACTS: 1 }, revoked, 'tick', 'tick', 'cache gets the answer to probe 0', hit),
  broken(
    'MATCH_NONCE',
    { FACTS: 1, PROBES: 2 },
    revoked,
    /^cache sends probe 1/,
    'cache gets the answer to probe 0',
    hit,
  ),
  broken('READ_AFTER_PROBE', { FACTS: 1 }, revoked, /^cache sends probe 0/, /^probe 0 is answered: head 0/, hit),
  broken('NO_GAPS', { FACTS: 2 }, revoked, 'cache takes the pushed fact 2 of history 0', hit),
  broken('TICKET_BEFORE_ASKING', { FACTS: 1 }, /^cache asks/, revoked, /^probe 0 is answered: head 1/, hit),
  broken('NOTHING_FROM_BEFORE_A_FLUSH', { FACTS: 1 }, /^cache asks/, revoked, /^probe 0 .* head 1 .* complete 0/, hit),
  broken(
    'ASK_WITH_MIN_REVISION',
    { FACTS: 1, REPLICAS: 1 },
    revoked,
    /^cache asks from place 1/,
    /^replica 0 answers/,
    hit,
  ),
  broken('JOINED_LOOKS_AGAIN', { FACTS: 1, REPLICAS: 1 }, /^cache asks/, revoked, 'a request joins the question'),
  broken('PROBE_TELLS_TIP', { FACTS: 2 }, setBack, revoked, /^cache sends .* 1 of history 0/, /complete 1/, hit),
  broken('PUSH_TELLS_TIP', { FACTS: 2 }, setBack, revoked, 'cache takes the pushed fact 2 of history 1', hit),
  broken(
    'ANSWER_FITS_PLACE',
    { FACTS: 1 },
    setBack,
    revoked,
    'cache takes the pushed fact 1 of history 0',
    /head 1/,
    hit,
  ),
  broken(
    'MIN_REVISION_TELLS_TIP',
    { FACTS: 1, REPLICAS: 1 },
    setBack,
    revoked,
    /^cache asks from place 1 of history 1/,
    /^replica 0 answers/,
    hit,
  ),
  broken('CLOCKS_RUN', { FACTS: 1 }, revoked, "tick, while the cache's machine sleeps", hit),

  witness('active from the cache', 1),
  witness('active until B after a revocation', 2),
  witness('active after facts on something else', 3),
  witness('active again after a rollback', 4),
  witness("active out of a replica's cache", 5, { FACTS: 1, REPLICAS: 1 }),
]
