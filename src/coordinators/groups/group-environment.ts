import type { Authorizer } from '../../metadata/authorizer.ts'
import type { BrokerConfigs } from '../../metadata/broker-configs.ts'
import type { GroupConfigs } from '../../metadata/group-configs.ts'
import type { ClusterImage } from '../../metadata/image.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/** What the group coordinator asks of the broker that it runs on. */
export interface GroupEnvironment {
  /** Of the broker, in traces. */
  readonly name: string
  /** The life of the broker. */
  readonly runtime: Runtime
  /** As far as the broker has read the metadata log. */
  readonly image: ClusterImage
  readonly mutants: ReadonlySet<string>
  /** Who may know which topics; left out: everybody all. */
  readonly authorizer?: Authorizer | undefined
  config(): BrokerConfigs
  groupConfig(groupId: string): GroupConfigs
}
