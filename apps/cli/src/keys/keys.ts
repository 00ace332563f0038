import { AdministrationService, type SigningKey } from '@countersign/contracts/administration'
import { exitCodes, type ExitCode } from '../exit-code.ts'
import { askService, findTarget, readCaller, type RpcOptions } from '../rpc-call.ts'
import type { Surroundings } from '../surroundings.ts'
import { printable, printableJson } from '../text.ts'

/** `keys list`: every signing key that is published. */
export async function listKeys(options: RpcOptions, surroundings: Surroundings): Promise<ExitCode> {
  const target = await findTarget(options, surroundings)
  const client = await readCaller(options, surroundings)
  const { keys } = await askService(AdministrationService, target, options, client, (calls) => calls.listKeys({}))
  return show(keys, options, surroundings)
}

/** `keys rotate`: prints the keys as they are from now on. */
export async function rotateKeys(
  options: RpcOptions & { alg?: string; compromised?: true },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const target = await findTarget(options, surroundings)
  const request = { alg: options.alg ?? '', compromised: options.compromised === true }
  const client = await readCaller(options, surroundings)
  const { keys } = await askService(AdministrationService, target, options, client, (calls) =>
    calls.rotateKeys(request),
  )
  return show(keys, options, surroundings)
}

function show(keys: readonly SigningKey[], { json }: RpcOptions, { stdout }: Surroundings): ExitCode {
  const sorted = keys.toSorted((a, b) => a.alg.localeCompare(b.alg) || a.createdAt - b.createdAt)
  stdout.write(json ? `${printableJson({ keys: sorted.map(asJson) })}\n` : sorted.map(line).join(''))
  return exitCodes.ok
}

const instant = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
const instantOrNull = (time: number): string | null => (time === 0 ? null : instant(time))

const asJson = ({ kid, alg, state, createdAt, activeAt, retiredAt, publicJwk }: SigningKey) => ({
  kid,
  alg,
  state,
  created_at: instantOrNull(createdAt),
  active_at: instantOrNull(activeAt),
  retired_at: instantOrNull(retiredAt),
  public_jwk: JSON.parse(publicJwk) as unknown,
})

function line({ kid, alg, state, createdAt, activeAt, retiredAt }: SigningKey): string {
  const from = `from ${instant(activeAt || createdAt)}`
  const until = retiredAt === 0 ? '' : ` until ${instant(retiredAt)}`
  return `${printable(alg).padEnd(6)}  ${printable(state).padEnd(9)}  ${printable(kid)}  ${from}${until}\n`
}
