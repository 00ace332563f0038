/*
 * How revocation reaches every cache in bounded time: the rules, and a world that does its worst. See README.md.
 *
 * One cache is looked at closely. With REPLICAS 0 it stands on the store, as the introspection service's does. With
 * more it is an SDK's: its questions go to the service, where any replica may answer from a cache of its own. There is
 * one token; a fact in the log is about it or about something else.
 *
 *   spin -a lease.pml && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan
 *   spin -a -DANCHOR_AT_SENDING=0 lease.pml && …                                 the same with one rule broken
 */

/* ---- the size of the world ---- */
#ifndef REPLICAS
#define REPLICAS 0 /* 0 to 2 */
#endif
#ifndef BOUND
#define BOUND 1 /* B, in ticks: 1 or 2 */
#endif
#ifndef FACTS
#define FACTS 2 /* in the log at most: 1 to 3 */
#endif
#ifndef PROBES
#define PROBES 1 /* of the cache on their way at once: 1 or 2 */
#endif

/* ---- the rules ---- */
#ifndef ANCHOR_AT_SENDING
#define ANCHOR_AT_SENDING 1 /* a lease counts from when the probe was sent, not from when its answer came */
#endif
#ifndef MATCH_NONCE
#define MATCH_NONCE 1 /* ... that very probe, not the newest */
#endif
#ifndef READ_AFTER_PROBE
#define READ_AFTER_PROBE 1 /* a probe is answered from a reading of the store that began after it had arrived */
#endif
#ifndef NO_GAPS
#define NO_GAPS 1 /* a pushed fact is applied only next to the one before it */
#endif
#ifndef TICKET_BEFORE_ASKING
#define TICKET_BEFORE_ASKING 1 /* an answer is as old as the place the cache asked from: any fact since then ends it */
#endif
#ifndef NOTHING_FROM_BEFORE_A_FLUSH
#define NOTHING_FROM_BEFORE_A_FLUSH 1 /* what was asked for before the first place, or a flush, is not kept */
#endif
#ifndef ASK_WITH_MIN_REVISION
#define ASK_WITH_MIN_REVISION 1 /* a replica that is behind the place of who asks does not answer from its cache */
#endif
#ifndef JOINED_LOOKS_AGAIN
#define JOINED_LOOKS_AGAIN 1 /* who waited for an earlier request's question is decided by the cache afterwards */
#endif
#ifndef PROBE_TELLS_TIP
#define PROBE_TELLS_TIP 1 /* the store compares the tip, not the number alone, of the place that a probe tells */
#endif
#ifndef PUSH_TELLS_TIP
#define PUSH_TELLS_TIP 1 /* a pushed fact is applied only onto the tip that it was written after */
#endif
#ifndef ANSWER_FITS_PLACE
#define ANSWER_FITS_PLACE 1 /* a probe's answer is followed only if what was pushed meanwhile is of the same history */
#endif
#ifndef MIN_REVISION_TELLS_TIP
#define MIN_REVISION_TELLS_TIP 1 /* a replica compares the tip, too, of the place it is asked from */
#endif
/* Not a rule, but assumed: a cache's clock does not stand still while its machine sleeps. */
#ifndef CLOCKS_RUN
#define CLOCKS_RUN 1
#endif

/* What has to be able to happen, or the rest means nothing: looked for as if it were an error. 0: nothing is.
 * 1: active from the cache; 2: as late as B after the revocation; 3: after a fact on something else came; 4: in the
 * history after a rollback; 5: what a replica had answered from its own cache. */
#ifndef WITNESS
#define WITNESS 0
#endif
#define happens(n) assert(WITNESS != n)

#define OVER (BOUND + 1) /* ages count no further: longer ago than the bound */

/* ---- the state ----
 * A place in the log is a number of facts, and a tip. A tip is 1 only for a fact written after the rollback, so places
 * with the same number are the same place exactly if their tips are equal. Only one rollback: two histories at most. */

typedef Cache {
  bit known;             /* has a place */
  unsigned sequence : 2; /* the place */
  bit tip;
  unsigned lease : 2 = OVER; /* ticks since the probe was sent that proved it last */
  unsigned revoked : 2;  /* where the newest fact about the token is that it has applied; 0: none */
  bit kept;              /* an active answer ... */
  unsigned ticket : 2    /* ... asked for at this place */
}
Cache cache;

/* The cache's probes and its question, on their way there and back. */
mtype = { idle, sent, answered };
typedef Probe {
  mtype step = idle;
  unsigned age : 2;      /* ticks since it was sent */
  bit old;               /* the cache has flushed since */
  bit moved;             /* the cache has another place since */
  bit known;             /* sent: tells a place */
  bit complete;          /* answered: with every fact from that place to the head */
  unsigned sequence : 2; /* sent: the place; answered: the head */
  bit tip
}
Probe probe[PROBES];

typedef Question {
  mtype step = idle;     /* answered: with "active" */
  bit old;
  bit known;
  unsigned sequence : 2; /* the place it was asked from */
  bit tip;
  bit late               /* of a request that began later than acknowledgement + B */
}
Question question;

/* A replica of the service, coarser: its probes and questions take one step, and what it keeps is dropped at once when
 * a fact ends it. The long way is what the cache above is for. */
#if REPLICAS > 0
typedef Replica {
  unsigned sequence : 2;
  bit tip;
  unsigned lease : 2 = OVER;
  bit kept
}
Replica replica[REPLICAS];
#endif

/* The store: one log, and after the rollback another, the same as the first up to `fork`. */
unsigned oldHead : 2;
unsigned oldRevoked : 2; /* where the fact about the token is; 0: nowhere */
bit rolledBack;
unsigned fork : 2;
unsigned newHead : 2;
unsigned newRevoked : 2; /* 0: nowhere after the fork */
bit acknowledged;        /* the revocation, and the rollback has not lost it */
unsigned sinceAcknowledged : 2;

#define head (rolledBack -> newHead : oldHead)
#define tipIn(history, n) (history && n > fork)
#define headTip tipIn(rolledBack, head)
/* Where the log up to (n, t) has the fact about the token; 0: nowhere. */
#define revokedIn(n, t) ((oldRevoked && oldRevoked <= n && (!t || oldRevoked <= fork)) -> oldRevoked : \
  ((t && newRevoked && newRevoked <= n) -> newRevoked : 0))
/* Whether the log up to (m, u) begins with the log up to (n, t). */
#define leadsTo(n, t, m, u) (n <= m && t == tipIn(u, n))
#define ofOneHistory(n, t, m, u) (leadsTo(n, t, m, u) || leadsTo(m, u, n, t))
#define tooLate (acknowledged && sinceAcknowledged > BOUND)

#define moveTo(who, n, t) who.sequence = n; who.tip = t
#define grow(age) if :: age < OVER -> age++ :: else fi

/* Pushes: any fact ever written, at any time, in any order, any number of times, or never. */
#define isWritten(n, t) ((t == 0 && n <= oldHead) || (t == 1 && rolledBack && n > fork && n <= newHead))
#define isNext(who, n, t) (n == who.sequence + 1 && (!PUSH_TELLS_TIP || who.tip == tipIn(t, n - 1)))
#define isTaken(who, n, t) (isWritten(n, t) && (isNext(who, n, t) || (!NO_GAPS && n > who.sequence)))
#if FACTS == 1
#define PUSHES PUSHED(1, 0) PUSHED(1, 1)
#elif FACTS == 2
#define PUSHES PUSHED(1, 0) PUSHED(1, 1) PUSHED(2, 0) PUSHED(2, 1)
#else
#define PUSHES PUSHED(1, 0) PUSHED(1, 1) PUSHED(2, 0) PUSHED(2, 1) PUSHED(3, 0) PUSHED(3, 1)
#endif

/* ---- the replicas: declared first, so that their process numbers are their indices ---- */

#if REPLICAS > 0
#define PUSHED(n, t) :: d_step { isTaken(replica[r], n, t) -> applyPushAt(r, n, t) }
inline applyPushAt(r, n, t) {
  printf("replica %d takes the pushed fact %d of history %d\n", r, n, t);
  moveTo(replica[r], n, t);
  if
  :: revokedIn(n, t) == n -> replica[r].kept = 0
  :: else
  fi
}

#define isServedBy(r) (replica[r].lease <= BOUND && replica[r].kept)
#define isOfThisLog(r) leadsTo(replica[r].sequence, replica[r].tip, head, headTip)

inline probeAtOnce(r) {
  printf("replica %d probes, and is at %d of history %d\n", r, head, headTip);
  if
  :: isOfThisLog(r) && revokedIn(head, headTip) <= replica[r].sequence /* nothing about the token is missing */
  :: else -> replica[r].kept = 0
  fi;
  moveTo(replica[r], head, headTip);
  replica[r].lease = 0
}

inline askAtOnce(r) {
  printf("replica %d asks the store, and keeps active\n", r);
  replica[r].kept = 1
}

#define r _pid
active [REPLICAS] proctype ReplicaProcess() {
  do
  PUSHES
  :: d_step { true -> probeAtOnce(r) }
  :: d_step { !revokedIn(head, headTip) -> askAtOnce(r) }
  :: d_step { replica[r].kept -> printf("replica %d drops what it keeps\n", r); replica[r].kept = 0 }
  :: d_step { isServedBy(r) -> printf("replica %d answers active\n", r); assert(!tooLate) }
  od
}
#undef r
#undef PUSHED
#endif

/* ---- the cache ---- */

#define isGood (cache.kept && cache.revoked <= cache.ticket)
#define isServed (cache.known && cache.lease <= BOUND && isGood)

inline forgetKept() {
  cache.kept = 0;
  cache.ticket = 0
}

inline keep(place) {
  cache.kept = 1;
  cache.ticket = place;
  if
  :: !isGood -> forgetKept()
  :: else
  fi
}

inline beginAnew() {
  cache.revoked = 0;
  forgetKept()
}

inline noteMove() {
  probe[0].moved = (probe[0].step != idle);
#if PROBES > 1
  probe[1].moved = (probe[1].step != idle);
#endif
}

#define PUSHED(n, t) :: d_step { cache.known && isTaken(cache, n, t) -> applyPush(n, t) }
inline applyPush(n, t) {
  printf("cache takes the pushed fact %d of history %d\n", n, t);
  moveTo(cache, n, t);
  noteMove();
  if
  :: revokedIn(n, t) == n -> cache.revoked = n
  :: else
  fi
}

/* ---- its probes ---- */

inline forgetProbe(p) {
  probe[p].step = idle;
  probe[p].age = 0;
  probe[p].old = 0;
  probe[p].moved = 0;
  probe[p].known = 0;
  probe[p].complete = 0;
  moveTo(probe[p], 0, 0)
}

inline sendProbe(p) {
  printf("cache sends probe %d from place %d of history %d\n", p, cache.sequence, cache.tip);
  probe[p].step = sent;
  probe[p].known = cache.known;
  moveTo(probe[p], cache.sequence, cache.tip)
}

#if READ_AFTER_PROBE
#define readHead head
#define readTip headTip
#else
unsigned readHead : 2; /* what was read at some time */
bit readTip;
#endif
#if PROBE_TELLS_TIP
#define isComplete(p) (probe[p].known && leadsTo(probe[p].sequence, probe[p].tip, readHead, readTip))
#else
#define isComplete(p) (probe[p].known && probe[p].sequence <= readHead)
#endif

inline answerProbe(p, withFacts) {
  probe[p].step = answered;
  probe[p].known = 0;
  probe[p].complete = withFacts;
  moveTo(probe[p], readHead, readTip);
  printf("probe %d is answered: head %d of history %d, complete %d\n", p, readHead, readTip, withFacts)
}

#if MATCH_NONCE || PROBES == 1
#define sentAgo(p) probe[p].age
#else
#define sentAgo(p) ((probe[1 - p].step != idle && probe[1 - p].age < probe[p].age) -> probe[1 - p].age : probe[p].age)
#endif
#if ANCHOR_AT_SENDING
#define provenAgo(p) sentAgo(p)
#else
#define provenAgo(p) 0
#endif
#if ANSWER_FITS_PLACE
/* The cache can compare the tips that both it and the answer know; those before where it asked from, the store has. */
#define isFitting(p) ((!probe[p].moved && probe[p].sequence > cache.sequence) || \
  ofOneHistory(probe[p].sequence, probe[p].tip, cache.sequence, cache.tip))
#define isFollowed(p) (probe[p].complete && isFitting(p))
#else
#define isFollowed(p) probe[p].complete
#endif

inline follow(p) {
  if
  :: probe[p].sequence > cache.sequence ->
    if
    :: revokedIn(probe[p].sequence, probe[p].tip) > cache.sequence ->
      cache.revoked = revokedIn(probe[p].sequence, probe[p].tip)
    :: else
    fi;
    moveTo(cache, probe[p].sequence, probe[p].tip);
    noteMove()
  :: else
  fi
}

inline settleProbe(p) {
  printf("cache gets the answer to probe %d\n", p);
  if
  :: probe[p].old /* asked before the cache began anew: of no use any more */
  :: !probe[p].old && isFollowed(p) ->
    follow(p);
    if
    :: provenAgo(p) < cache.lease -> cache.lease = provenAgo(p)
    :: else
    fi
  :: else ->
    beginAnew();
    cache.known = 1;
    moveTo(cache, probe[p].sequence, probe[p].tip);
    cache.lease = provenAgo(p);
    question.old = (question.step != idle);
#if PROBES > 1
    probe[1 - p].old = (probe[1 - p].step != idle);
#endif
  fi;
  forgetProbe(p)
}

#define PROBING(p) \
  :: d_step { probe[p].step == idle -> sendProbe(p) } \
  :: d_step { probe[p].step == sent && isComplete(p) -> answerProbe(p, 1) } \
  :: d_step { probe[p].step == sent -> answerProbe(p, 0) } /* other history, or the log is not kept that long */ \
  :: d_step { probe[p].step == answered -> settleProbe(p) } \
  :: d_step { probe[p].step != idle -> printf("probe %d is lost\n", p); forgetProbe(p) } /* lost */

/* ---- its question ---- */

inline forgetQuestion() {
  question.step = idle;
  question.old = 0;
  question.known = 0;
  question.late = 0;
  moveTo(question, 0, 0)
}

inline ask() {
  printf("cache asks from place %d of history %d\n", cache.sequence, cache.tip);
  question.step = sent;
  question.known = cache.known;
  question.late = tooLate;
  moveTo(question, cache.sequence, cache.tip)
}

inline readForQuestion() {
  printf("question is answered from the store\n");
  if
  :: revokedIn(head, headTip) -> forgetQuestion() /* "not active" breaks no promise */
  :: else -> question.step = answered
  fi
}

#if MIN_REVISION_TELLS_TIP
#define isBehind(r) !leadsTo(question.sequence, question.tip, replica[r].sequence, replica[r].tip)
#else
#define isBehind(r) (replica[r].sequence < question.sequence)
#endif
#define mayAnswer(r) (isServedBy(r) && !(ASK_WITH_MIN_REVISION && question.known && isBehind(r)))

inline answerFromReplica(r) {
  printf("replica %d answers active from its cache\n", r);
  question.step = answered
}

#if NOTHING_FROM_BEFORE_A_FLUSH
#define mayKeep (question.known && !question.old)
#else
#define mayKeep true
#endif
#if TICKET_BEFORE_ASKING
#define ticketOfQuestion question.sequence
#else
#define ticketOfQuestion cache.sequence
#endif

inline takeAnswer() {
  printf("cache gets the answer active\n");
  assert(!question.late); /* it is passed on to who asked for it */
  if
  :: mayKeep -> keep(ticketOfQuestion)
  :: else
  fi;
  forgetQuestion()
}

/* ---- the processes ---- */

inline restart() {
  printf("cache restarts\n");
  cache.known = 0;
  cache.lease = OVER;
  moveTo(cache, 0, 0);
  beginAnew();
  forgetQuestion();
  forgetProbe(0);
#if PROBES > 1
  forgetProbe(1);
#endif
}

active proctype CacheProcess() {
  do
  PUSHES
  PROBING(0)
#if PROBES > 1
  PROBING(1)
#endif
  :: d_step { question.step == idle -> ask() }
#if WITNESS != 5
  :: d_step { question.step == sent -> readForQuestion() }
#endif
#if REPLICAS > 0
  :: d_step { question.step == sent && mayAnswer(0) -> answerFromReplica(0) }
#endif
#if REPLICAS > 1
  :: d_step { question.step == sent && mayAnswer(1) -> answerFromReplica(1) }
#endif
  :: d_step { question.step == answered -> takeAnswer() }
  :: d_step { question.step != idle -> printf("question is lost\n"); forgetQuestion() } /* lost */
#if !JOINED_LOOKS_AGAIN
  :: d_step { question.step != idle && tooLate -> printf("a request joins the question\n"); question.late = 1 }
#endif
  :: d_step { cache.known -> restart() }
  /* The promise. A step takes no time, so whoever is answered here may have begun a moment ago. */
  :: d_step { isServed -> printf("cache answers active\n"); assert(!tooLate) }
#if WITNESS
  :: d_step { isServed -> happens(1) }
  :: d_step { isServed && acknowledged && sinceAcknowledged == BOUND -> happens(2) }
  :: d_step { isServed && cache.sequence > cache.ticket -> happens(3) }
  :: d_step { isServed && cache.tip -> happens(4) }
  :: d_step { isServed -> happens(5) }
#endif
  od
}

inline acknowledge() {
  printf("revocation of the token acknowledged\n");
  acknowledged = 1;
  sinceAcknowledged = 0
}

inline setBackTo(n) {
  printf("store is set back to %d\n", n);
  rolledBack = 1;
  fork = n;
  newHead = n;
  if
  :: oldRevoked > n -> /* lost: nothing is promised of it any more */
    acknowledged = 0;
    sinceAcknowledged = 0;
    question.late = 0
  :: else
  fi
}

inline other() {
  printf("something else is revoked\n")
}

active proctype Store() {
  do
  :: d_step { !rolledBack && oldHead < FACTS -> other(); oldHead++ }
  :: d_step { !rolledBack && oldHead < FACTS && !oldRevoked -> oldHead++; oldRevoked = oldHead; acknowledge() }
  :: d_step { rolledBack && newHead < FACTS -> other(); newHead++ }
  :: d_step { rolledBack && newHead < FACTS && !revokedIn(head, headTip) ->
      newHead++; newRevoked = newHead; acknowledge() }
  :: d_step { !rolledBack && oldHead > 0 -> setBackTo(0) }
  :: d_step { !rolledBack && oldHead > 1 -> setBackTo(1) }
  :: d_step { !rolledBack && oldHead > 2 -> setBackTo(2) }
#if !READ_AFTER_PROBE
  :: d_step { true -> printf("store is read\n"); readHead = head; readTip = headTip }
#endif
  od
}

inline tickOfCache() {
  grow(cache.lease);
  if
  :: probe[0].step != idle -> grow(probe[0].age)
  :: else
  fi;
#if PROBES > 1
  if
  :: probe[1].step != idle -> grow(probe[1].age)
  :: else
  fi
#endif
}

inline tick() {
  if
  :: acknowledged -> grow(sinceAcknowledged)
  :: else
  fi;
#if REPLICAS > 0
  grow(replica[0].lease);
#endif
#if REPLICAS > 1
  grow(replica[1].lease);
#endif
}

/* Any number of ticks may pass between any two steps of anybody: whoever does nothing meanwhile was paused. */
active proctype Clock() {
  do
  :: d_step { true -> printf("tick\n"); tick(); tickOfCache() }
#if !CLOCKS_RUN
  :: d_step { true -> printf("tick, while the cache's machine sleeps\n"); tick() }
#endif
  od
}
