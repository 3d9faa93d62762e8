import { build } from './hosted.ts'
import { missingForRedis } from './servers.ts'

/** A real Redis is not asked of everybody, but of CI. */
export default function setup(): void {
  const missing = missingForRedis()
  if (missing === undefined) {
    build()
    return
  }
  if (process.env.CI === 'true') throw new Error(`${missing}; CI has to have it`)
  console.warn(`tests on a real Redis are left out: ${missing}`)
}
