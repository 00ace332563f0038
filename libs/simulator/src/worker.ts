import { addWorld, noTotals } from './figures.ts'
import { mutants } from './mutants.ts'
import { mutate } from './mutate.ts'

export interface Job {
  from: number
  count: number
}

// The process that `simulate` starts for each core: worlds come as jobs, sums go back. A mutant is named on its command line.
const [name] = process.argv.slice(2)
const mutant = mutants.find((each) => each.name === name)
const check = mutant && mutate(mutant)
const { layFoundations, runWorld } = await import('./world.ts')
check?.()
const foundations = await layFoundations()

process.on('message', ({ from, count }: Job) => {
  void (async () => {
    const totals = noTotals()
    for (let seed = from; seed < from + count; seed++) addWorld(totals, await runWorld(seed, foundations))
    process.send!(totals)
  })()
})
process.on('disconnect', () => process.exit())
process.send!('ready')
