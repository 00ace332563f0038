import type { Bus } from '../port.ts'

/** Says for each call, while set, whether it gets lost. */
export interface Faults {
  publish?: (() => boolean) | undefined
  acknowledge?: (() => boolean) | undefined
}

/** A bus that loses what it is told to. */
export const faulty = (bus: Bus, faults: Faults): Bus => ({
  publish: (message) => void (faults.publish?.() || bus.publish(message)),
  acknowledge: (ids) => void (faults.acknowledge?.() || bus.acknowledge(ids)),
  consume: (consumer) => bus.consume(consumer),
  onAcknowledged: (handler) => bus.onAcknowledged(handler),
  ask: (ids, deadlineMs) => bus.ask(ids, deadlineMs),
  answer: (handler) => bus.answer(handler),
  announce: (push) => bus.announce(push),
  onAnnounced: (handler) => bus.onAnnounced(handler),
  survey: (question, withinMs) => bus.survey(question, withinMs),
  onSurvey: (handler) => bus.onSurvey(handler),
  state: () => bus.state(),
  close: () => bus.close(),
})
