// What virtual time costs: `npm run build && node bench/runtime.mjs`. Medians of several rounds; look at ratios.
import { performance } from 'node:perf_hooks'
import { Life } from '../dist/esm/node/life.js'
import { VirtualRuntime } from '../dist/esm/runtime/virtual.js'

const ROUNDS = 7
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const report = (what, perSecond, goal) =>
  console.log(`${what.padEnd(58)} ${(perSecond / 1e6).toFixed(2).padStart(12)} M events/s  goal ${goal}`)

/** Events of `chains` timers that each set the next one, until `count` have run; `each` is done in every event. */
async function round(chains, count, { each = () => {}, of = runtime => runtime } = {}) {
  const runtime = new VirtualRuntime({ seed: 1, traceLimit: 0 })
  const time = of(runtime)
  const done = time.deferred()
  let left = count
  const step = ms => {
    each(time)
    if (--left === 0) done.resolve()
    else if (left > 0) time.after(ms, () => step(ms))
  }
  const from = performance.now()
  await runtime.drive('the bench', () => {
    for (let i = 0; i < chains; i++) time.after(i % 7, () => step(1 + (i % 13)))
    return done.promise
  })
  const seconds = (performance.now() - from) / 1000
  const { events } = runtime
  await runtime.close(new Error('the bench is over'))
  return events / seconds
}

async function measure(what, goal, chains, count, options) {
  const rounds = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(chains, count, options))
  report(what, median(rounds.slice(1)), goal)
}

const settle = time => time.deferred().resolve()
const cancel = time => time.after(30_000, () => {}).cancel()
const life = runtime => new Life(runtime)

await measure('events without a hop, 1 timer', '≥ 1.2', 1, 1_000_000)
await measure('events without a hop, 100 timers', '≥ 1.2', 100, 1_000_000)
await measure('events without a hop, 10,000 timers', '≥ 1.2', 10_000, 1_000_000)
await measure('the same of a node’s life, 100 timers', '≥ 1.2', 100, 1_000_000, { of: life })
await measure('with a timer set and cancelled in each, 100 timers', '≥ 1.2', 100, 500_000, { each: cancel })
await measure('events with a hop each, 100 timers', '≥ 0.7', 100, 200_000, { each: settle })
