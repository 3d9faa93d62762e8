import type { Broker } from '../broker/broker.ts'

/** The one log directory of a broker: the first of `log.dirs`, or of `log.dir` where that is not set. */
export function logDirOf({ config }: Broker): string {
  return (config['log.dirs'] ?? config['log.dir'])[0]!
}
