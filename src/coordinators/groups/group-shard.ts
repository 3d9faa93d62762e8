import type { ImageChanges } from '../../metadata/image-changes.ts'
import { Shard } from '../shard.ts'
import type { ShardLog } from '../shard-log.ts'
import { ClassicProtocol } from './classic/classic-protocol.ts'
import { ConsumerProtocol } from './consumer/consumer-protocol.ts'
import { GroupDirectory } from './group-directory.ts'
import type { GroupEnvironment } from './group-environment.ts'
import { type GroupRecord, type GroupRecordInput, groupCodec } from './group-records.ts'
import { GroupState } from './group-state.ts'
import { OffsetOperations } from './offsets/offset-operations.ts'

/** One partition of `__consumer_offsets` on its leader: its groups, and whoever acts on them. */
export class GroupShard {
  readonly environment: GroupEnvironment
  readonly shard: Shard<GroupState, GroupRecordInput, GroupRecord>
  readonly classic: ClassicProtocol
  readonly consumer: ConsumerProtocol
  readonly offsets: OffsetOperations
  readonly directory: GroupDirectory
  #unlisten: () => void = () => {}

  constructor(environment: GroupEnvironment, log: ShardLog, lost: () => void) {
    this.environment = environment
    this.shard = new Shard({
      runtime: environment.runtime,
      name: environment.name,
      log,
      codec: groupCodec,
      makeState: () => new GroupState(),
      commitTimeoutMs: () => environment.config()['offsets.commit.timeout.ms'],
      written: () => this.offsets.written(),
      lost,
    })
    this.classic = new ClassicProtocol(this)
    this.consumer = new ConsumerProtocol(this)
    this.offsets = new OffsetOperations(this)
    this.directory = new GroupDirectory(this)
  }

  get partition(): number {
    return this.shard.log.partition
  }

  load(): void {
    this.#unlisten = this.environment.runtime.onLeap(ms => {
      this.classic.leapt(ms)
      this.consumer.leapt(ms)
    })
    this.shard.load(() => {
      this.classic.loaded()
      this.consumer.loaded()
      this.offsets.loaded()
    })
  }

  /** The broker has read the metadata log further. */
  metadataChanged(changes: ImageChanges): void {
    if (!this.shard.isActive) return
    this.consumer.metadataChanged(changes)
    this.offsets.metadataChanged(changes)
  }

  /**
   * Nothing will happen here by itself but heartbeats: everything is committed, and every group is stable or empty, with
   * none but `living` members.
   */
  isQuiet(living: ReadonlySet<string>): boolean {
    if (!this.shard.isActive || !this.shard.isCommitted) return false
    for (const group of this.shard.latest.groups.values()) {
      if (group.state !== 'Stable' && group.state !== 'Empty') return false
      if (group.type === 'classic' && group.pendingMembers.size > 0) return false
      for (const memberId of group.members.keys()) if (!living.has(memberId)) return false
    }
    return true
  }

  close(): void {
    this.#unlisten()
    this.shard.close()
    this.classic.closed()
    this.consumer.closed()
    this.offsets.closed()
  }
}
