import { test } from 'vitest'
import { createCluster } from '../src/index.ts'
test('start', async () => {
  const p = performance
  for (let k = 0; k < 6; k++) {
  const t0 = p.now()
  for (let i = 0; i < 300; i++) { const c = await createCluster(); await c.close() }
  console.log('warm start', (p.now() - t0)/300)
  }
})
