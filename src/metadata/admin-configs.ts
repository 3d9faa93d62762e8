/**
 * Every key of an admin client (Apache Kafka 4.3.1, AdminClientConfig).
 */

import { type ClientOptionsOf, clientConfigs } from './client-configs.ts'
import type { ConfigsOf } from './config-definition.ts'
import { atLeast, between, boolean, high, int, list, long, low, MAX_INT, medium, string } from './config-definition.ts'

export const adminConfigs = {
  ...clientConfigs,
  'bootstrap.controllers': list([], high),
  'bootstrap.servers': list([], high),
  'client.id': string('', medium),
  'connections.max.idle.ms': long(300_000, medium),
  'default.api.timeout.ms': int(60_000, medium, atLeast(0)),
  'enable.metrics.push': boolean(false, low),
  'receive.buffer.bytes': int(65_536, medium, atLeast(-1)),
  retries: int(MAX_INT, low, between(0, MAX_INT)),
}

/** Values in force, every key present. */
export type AdminConfigs = ConfigsOf<typeof adminConfigs>
/** What a user may write. */
export type AdminOptions = ClientOptionsOf<typeof adminConfigs>
