import { addressText } from '../network/channel.ts'
import type { BrokerHandle } from './broker-handle.ts'

/** `host:port` of every broker at this listener, with commas. @throws {RangeError} that names those that there are */
export function serversOf(brokers: readonly BrokerHandle[], listener: string): string {
  const addresses = brokers.flatMap(({ listeners }) => listeners.filter(({ name }) => name === listener))
  if (addresses.length > 0) return addresses.map(({ address }) => addressText(address)).join(',')
  const names = brokers[0]!.listeners.map(({ name }) => name).join(', ')
  throw new RangeError(`there is no listener '${listener}'; there are ${names}`)
}
