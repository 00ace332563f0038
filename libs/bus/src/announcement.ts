import { parseRevision, type FactKind, type FactPush } from '@countersign/contracts'
import { FactPush as EncodedPush } from '@countersign/contracts/introspection'

export const encodeFactPush = (push: FactPush): Uint8Array =>
  EncodedPush.encode({ ...push, facts: push.facts.map((fact) => ({ ...fact, tip: '' })) }).finish()

/** Facts of kinds that are not known here are passed on: who gets them must know. @throws when the bytes are no push. */
export function decodeFactPush(bytes: Uint8Array): FactPush {
  const { revision, tip, previousTip, facts } = EncodedPush.decode(bytes)
  if (!parseRevision(revision)) throw new Error('it has no revision')
  return { revision, tip, previousTip, facts: facts.map(({ kind, id }) => ({ kind: kind as FactKind, id })) }
}
