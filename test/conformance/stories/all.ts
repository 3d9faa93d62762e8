import type { Client } from '../client.ts'
import { adminStories } from './admin.ts'
import { failOverStories } from './fail-over.ts'
import { groupStories } from './groups.ts'
import { idempotenceStories } from './idempotence.ts'
import { produceStories } from './produce.ts'
import type { Story } from './story.ts'
import { transactionStories } from './transactions.ts'

/** All that the client can take part in. */
export function storiesOf(client: Client): Story[] {
  const kinds = [adminStories, produceStories, idempotenceStories, groupStories, transactionStories, failOverStories]
  return kinds.flatMap(each => each(client))
}
