import type { LogStores } from './log-store.ts'
import { MemoryStores } from './memory-store.ts'

/** Where a cluster keeps its logs unless its options say: in memory, which goes with it. Our tests run on others too. */
export const defaultStores: { make: () => LogStores } = {
  make: () => new MemoryStores({ outliveClusters: false }),
}
