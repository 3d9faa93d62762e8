import { unregisterBroker as unregisterBrokerApi } from '../../apis/unregister-broker.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import type { AdminClient } from './admin-client.ts'

export async function unregisterBroker(client: AdminClient, brokerId: number): Promise<void> {
  if (!Number.isInteger(brokerId)) {
    throw new IllegalArgumentError(
      `unregisterBroker takes the id of a broker, as in 3, not ${JSON.stringify(brokerId)}`,
    )
  }
  await client.ask(unregisterBrokerApi, { brokerId }, first => first.errorCode)
}
