import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { Oracle } from './kafka.mjs'
import { missingForKafka } from './kafka-world.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where stories are told on a real Kafka: its folder, and what is missing for it. */
    oracle: { readonly dir: string; readonly missing: string | undefined } | undefined
  }
}

/** Whatever becomes of the tests, no process of theirs outlives them. */
export default function setup(project: TestProject): () => Promise<void> {
  const missing = missingForKafka()
  if (missing !== undefined && process.env.CI === 'true') throw new Error(`${missing}; CI has to have it`)
  if (missing !== undefined) console.warn(`stories are not told on a real Kafka: ${missing}`)
  const dir = mkdtempSync(join(tmpdir(), 'mini-kafka-oracle-'))
  project.provide('oracle', { dir, missing })
  return async () => {
    if (process.env.KEEP_ORACLE !== undefined) return
    if (existsSync(join(dir, 'state.json'))) await Oracle.open(dir).stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
