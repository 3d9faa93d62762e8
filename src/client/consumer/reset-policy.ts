import { durationMs } from '../../metadata/iso-duration.ts'
import { EARLIEST, LATEST } from '../list-offsets.ts'

/** What `auto.offset.reset` says at a time: the timestamp to look an offset up by; undefined for `none`. */
export function resetTimestamp(policy: string, now: number): number | undefined {
  if (policy === 'earliest') return EARLIEST
  if (policy === 'latest') return LATEST
  if (policy.startsWith('by_duration:')) return now - (durationMs(policy.slice('by_duration:'.length)) ?? 0)
  return undefined
}
