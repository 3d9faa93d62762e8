import type { ClusterImage } from '../metadata/image.ts'
import { IllegalStateError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { ControllerHandle } from './controller-handle.ts'

/** As the controller knows the cluster; while it is away, as the broker does that has read furthest. */
export function newestImage({ controller }: ControllerHandle, brokers: readonly BrokerHandle[]): ClusterImage {
  if (controller !== undefined) return controller.image
  const images = brokers.flatMap(handle => (handle.broker === undefined ? [] : [handle.broker.image]))
  const furthest = images.sort((a, b) => b.offset - a.offset)[0]
  if (furthest === undefined) throw new IllegalStateError('neither the controller nor any broker runs')
  return furthest
}
