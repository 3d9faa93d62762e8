import { type Asker, allows } from '../../../apis/authorization.ts'
import type { GroupEnvironment } from '../group-environment.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { sameNames } from './consumer-member.ts'
import { groupEpochRecord, regularExpressionRecord } from './consumer-records.ts'
import type { ConsumerSteps, Step } from './consumer-steps.ts'
import { GroupDraft } from './group-draft.ts'
import { metadataHash } from './metadata-hash.ts'
import { resolvedTopics } from './regular-expressions.ts'

/**
 * Holds a group's regular expressions against the topics, in the background: the heartbeat that asks for it goes on. What
 * its sender may not DESCRIBE is no topic for anyone in the group, until they are resolved again for somebody else.
 */
export function resolveExpressions(steps: ConsumerSteps, groupId: string, asker: Asker | undefined): void {
  const key = `regular expressions of ${groupId}`
  if (!steps.isScheduled(key)) steps.schedule(key, 0, groupId, group => resolution(group, steps.environment, asker))
}

function resolution(group: ConsumerGroup, environment: GroupEnvironment, asker: Asker | undefined): Step<undefined> {
  const { image, runtime, authorizer } = environment
  const isShown = (topic: string) => asker === undefined || allows({ authorizer }, asker, 'describe', 'topic', topic)
  const { id, groupEpoch, expressions, metadataHash: known } = group
  const draft = new GroupDraft(group)
  let moves = false
  for (const regex of expressions.keys()) {
    const topics = resolvedTopics(regex, image).filter(isShown)
    if (!sameNames(group.regularExpressions.get(regex)?.topics ?? [], topics)) moves = true
    draft.add(regularExpressionRecord(id, regex, { topics, version: image.offset, timestamp: runtime.now() }))
  }
  const hash = metadataHash(draft.group, image)
  if (moves || hash !== known) draft.addLast(groupEpochRecord(id, groupEpoch + 1, hash))
  return { records: draft.records, response: undefined, reason: 'regular expressions are resolved' }
}
