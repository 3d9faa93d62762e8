import type { ClusterImage } from '../metadata/image.ts'
import { IllegalStateError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { ControllerHandle } from './controller-handle.ts'

/** As the node knows the cluster that has read furthest: the controller, unless it is away or has only just begun to read. */
export function newestImage({ controller }: ControllerHandle, brokers: readonly BrokerHandle[]): ClusterImage {
  const nodes = [controller, ...brokers.map(({ broker }) => broker)]
  const images = nodes.flatMap(node => (node === undefined ? [] : [node.image]))
  const furthest = images.sort((a, b) => b.offset - a.offset)[0]
  if (furthest === undefined) throw new IllegalStateError('neither the controller nor any broker runs')
  return furthest
}
