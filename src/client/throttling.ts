/**
 * Since which version an API's `throttle_time_ms` is a wish that the client fulfils (KIP-219); before, the broker had held
 * its answer back that long already. APIs that are not named never had such versions, or none that are still spoken.
 */
const sinceVersion: Readonly<Record<string, number>> = {
  ApiVersions: 2,
  CreatePartitions: 1,
  CreateTopics: 3,
  DeleteGroups: 1,
  DeleteRecords: 1,
  DeleteTopics: 2,
  DescribeConfigs: 2,
  DescribeGroups: 2,
  Fetch: 8,
  FindCoordinator: 2,
  Heartbeat: 2,
  InitProducerId: 1,
  JoinGroup: 3,
  LeaveGroup: 2,
  ListGroups: 2,
  ListOffsets: 3,
  Metadata: 6,
  OffsetCommit: 4,
  OffsetFetch: 4,
  Produce: 6,
  SyncGroup: 2,
}

/** Whether a client pauses for the time that an answer of this version names (C-37). */
export function waitsWhenThrottled(api: string, version: number): boolean {
  return version >= (sinceVersion[api] ?? 0)
}
