import { leaveGroup } from '../../apis/leave-group.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'
import { atCoordinators, groupText } from './coordinator-calls.ts'
import { describeConsumerGroups } from './group-descriptions.ts'

export interface RemoveMembersOptions {
  /** The static members to remove, by their `group.instance.id`. Every member unless given. */
  readonly groupInstanceIds?: readonly string[]
  /** What the coordinator notes in its log. */
  readonly reason?: string
}

const REASON = 'member was removed by an admin'
/** Longer ones are cut (KIP-800). */
const REASON_MAX = 255
/** First version that names several members. */
const BATCHED_SINCE = 3

interface Leaver {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Makes members leave; those who still run join again (G-19). */
export async function removeMembersFromConsumerGroup(
  client: AdminClient,
  groupId: string,
  options: RemoveMembersOptions,
): Promise<void> {
  const { groupInstanceIds, reason = '' } = options
  const leavers: readonly Leaver[] =
    groupInstanceIds?.map(groupInstanceId => ({ memberId: '', groupInstanceId })) ??
    (await everyMember(client, groupId))
  if (leavers.length === 0) return
  const why = (reason === '' ? REASON : `${REASON}: ${reason}`).slice(0, REASON_MAX)
  const answered = await atCoordinators<Answers<string, undefined>>(client, [groupId], {
    what: 'LeaveGroup',
    async ask(node) {
      const response = await client.connections.request(node, leaveGroup, version => {
        if (version < BATCHED_SINCE) {
          throw new KafkaError('UNSUPPORTED_VERSION', `the broker takes LeaveGroup up to v${version} only`)
        }
        return { groupId, members: leavers.map(each => ({ ...each, reason: why })) }
      })
      if (response.errorCode !== errorCodes.NONE) throw KafkaError.of(response.errorCode)
      const answers: Answers<string, undefined> = new Map()
      for (const { memberId, groupInstanceId, errorCode } of response.members) {
        answers.set(groupInstanceId ?? memberId, errorOfItem(errorCode))
      }
      return new Map([[groupId, answers]])
    },
  })
  allOf(allOf(answered, groupText).get(groupId)!, member => `${groupText(groupId)}, member '${member}'`)
}

/** Static ones by their instance id: that is theirs whatever member id they have by now. */
async function everyMember(client: AdminClient, groupId: string): Promise<Leaver[]> {
  const { members } = (await describeConsumerGroups(client, [groupId])).get(groupId)!
  return members.map(({ memberId, groupInstanceId }) =>
    groupInstanceId === undefined ? { memberId, groupInstanceId: null } : { memberId: '', groupInstanceId },
  )
}
