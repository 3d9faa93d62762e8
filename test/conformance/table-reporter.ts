import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Reporter, TestModule, Vitest } from 'vitest/node'
import { readClient } from './client.ts'
import { helloOf, pageOf, rowOf, rowsOf, type Told } from './table.ts'

export const pagePath: string = fileURLToPath(new URL('../../docs/clients.md', import.meta.url))

/** Keeps docs/clients.md: with `--update` it is written, without, a run that shows something else fails. */
export default class TableReporter implements Reporter {
  #vitest!: Vitest

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const shown = toldBy(modules)
    if (shown.size === 0) return
    const page = existsSync(pagePath) ? readFileSync(pagePath, 'utf8') : ''
    const rows = rowsOf(page)
    const before = new Map(rows)
    for (const [name, told] of shown)
      rows.set(name, rowOf(readClient(name), told.find(each => each.hello)!.hello!, told))
    const now = pageOf(rows)
    if (now === page) return
    if (this.#vitest.config.snapshotOptions.updateSnapshot === 'all') {
      writeFileSync(pagePath, now)
      return
    }
    const changed = [...shown.keys()].filter(name => rows.get(name) !== before.get(name))
    for (const name of changed) {
      this.#vitest.logger.log(`docs/clients.md: ${name}\n  - ${before.get(name) ?? 'nothing'}\n  + ${rows.get(name)}`)
    }
    this.#vitest.logger.log('docs/clients.md is not what this run has shown: npm run test:conformance -- --update')
    // What the system's packages are today is none of our faults.
    if (changed.every(name => before.has(name) && isOfOtherVersion(before.get(name)!, rows.get(name)!))) return
    process.exitCode = 1
  }
}

function isOfOtherVersion(before: string, now: string): boolean {
  const [old, current] = [helloOf(before), helloOf(now)]
  return old.version !== current.version || old.engine !== current.engine
}

/** Of each client all of whose stories were told. */
function toldBy(modules: readonly TestModule[]): Map<string, Told[]> {
  const told = new Map<string, Told[]>()
  const partly = new Set<string>()
  for (const test of modules.flatMap(module => [...module.children.allTests()])) {
    const { telling } = test.meta()
    if (telling === undefined) continue
    const { state } = test.result()
    if ((state !== 'passed' && state !== 'failed') || telling.hello === undefined) partly.add(telling.client)
    told.set(telling.client, [...(told.get(telling.client) ?? []), { ...telling, passed: state === 'passed' }])
  }
  for (const name of partly) told.delete(name)
  return told
}
