import type { FactPush } from '@countersign/contracts'
import { expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '../port.ts'
import type { Open } from './collector.ts'
import { eventually } from './eventually.ts'
import { newPush } from './events.ts'

const probe = newPush(0)
const isProbe = ({ tip }: FactPush) => tip === probe.tip

/** Until what was subscribed just now is known to who sends. */
const untilHeard = (sender: Bus, heard: FactPush[]) =>
  eventually(async () => {
    sender.announce(probe)
    await sleep(10)
    return heard.some(isProbe)
  })

export function announcing(open: Open): void {
  test('every process hears of revocations, its own too, as they were told', async () => {
    const { near, far } = await open()
    const heard: [FactPush[], FactPush[]] = [[], []]
    near.onAnnounced((push) => heard[0].push(push))
    far.onAnnounced((push) => heard[1].push(push))
    for (const some of heard) await untilHeard(near, some)
    const pushes = Array.from({ length: 500 }, (_, n) => newPush(n + 1))
    for (const push of pushes) near.announce(push)
    await eventually(() => heard.every((some) => some.some(({ tip }) => tip === pushes.at(-1)!.tip)))
    for (const some of heard) expect(some.filter((push) => !isProbe(push))).toEqual(pushes)
  })

  test('a listener is not called in the stack of who announces', async () => {
    const { near } = await open()
    const heard: FactPush[] = []
    near.onAnnounced((push) => heard.push(push))
    await untilHeard(near, heard)
    const push = newPush()
    near.announce(push)
    expect(heard).not.toContainEqual(push)
    await eventually(() => heard.some(({ tip }) => tip === push.tip))
  })

  test('a listener that raises disturbs no other, and a closed one hears nothing', async () => {
    const { near, far } = await open()
    const [heard, closedHeard]: [FactPush[], FactPush[]] = [[], []]
    near.onAnnounced(() => {
      throw new Error('raised')
    })
    const closed = near.onAnnounced((push) => closedHeard.push(push))
    near.onAnnounced((push) => heard.push(push))
    await untilHeard(far, closedHeard)
    await closed.close()
    const push = newPush()
    far.announce(push)
    await eventually(() => heard.some(({ tip }) => tip === push.tip))
    expect(closedHeard.filter((each) => !isProbe(each))).toEqual([])
  })
}

/** A handler that answers with its name, and keeps what it was asked. */
function answerer(name: string) {
  const asked: string[] = []
  const handler = (question: Uint8Array) => {
    asked.push(Buffer.from(question).toString())
    return Buffer.from(name)
  }
  return { name, asked, handler }
}

async function surveyOf(bus: Bus, question: string, withinMs: number): Promise<string[]> {
  const answers = await bus.survey(Buffer.from(question), withinMs)
  return answers.map((answer) => Buffer.from(answer).toString()).sort()
}

const untilAllAnswer = (bus: Bus, names: string[]) =>
  eventually(async () => (await surveyOf(bus, 'probe', 50)).join() === names.join())

/** For answers that come within a moment, on however busy a machine. */
const amplyMs = 1_500

export function surveying(open: Open): void {
  test('who answers is asked once, in every process, that of the question too', async () => {
    const { near, far } = await open()
    const answerers = ['a', 'b', 'c', 'd'].map(answerer)
    answerers.forEach(({ handler }, n) => (n < 2 ? near : far).onSurvey(handler))
    for (const bus of [near, far]) await untilAllAnswer(bus, ['a', 'b', 'c', 'd'])
    const questions = [randomUUID(), randomUUID()]
    const surveys = [surveyOf(near, questions[0]!, amplyMs), surveyOf(far, questions[1]!, amplyMs)]
    for (const answers of await Promise.all(surveys)) expect(answers).toEqual(['a', 'b', 'c', 'd'])
    for (const { asked } of answerers)
      expect(asked.filter((question) => question !== 'probe').sort()).toEqual([...questions].sort())
  })

  test('answers are taken as they are, any bytes and none; undefined is none, nor is an error', async () => {
    const { near, far } = await open()
    const bytes = Uint8Array.from({ length: 50_000 }, (_, n) => n)
    far.onSurvey(() => bytes)
    far.onSurvey(() => undefined)
    far.onSurvey(() => {
      throw new Error('raised')
    })
    far.onSurvey(() => new Uint8Array())
    await eventually(async () => (await near.survey(bytes, 50)).length === 2)
    const answers = await near.survey(bytes, amplyMs)
    expect(answers.map((answer) => Buffer.from(answer).toString('hex')).sort()).toEqual([
      '',
      Buffer.from(bytes).toString('hex'),
    ])
  })

  test('who no longer answers is not asked, and nobody is waited for where nobody answers', async () => {
    const { near, far } = await open()
    const subscriptions = [near, far].map((bus) => bus.onSurvey(answerer('x').handler))
    await untilAllAnswer(near, ['x', 'x'])
    for (const subscription of subscriptions) await subscription.close()
    await eventually(async () => (await near.survey(Buffer.from('?'), 50)).length === 0)
    expect(await near.survey(Buffer.from('?'), 3_600_000)).toEqual([])
  })

  test('never rejects: what this process answers is given whatever the question', async () => {
    const { near } = await open()
    near.onSurvey((question) => Buffer.from(String(question.length)))
    expect(await surveyOf(near, 'x'.repeat(4_000_000), 50)).toEqual(['4000000'])
  })
}
