import type { Broker } from '../broker/broker.ts'
import type { AnyApi, RequestContext, RequestInput, RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'

/**
 * A client's request, handed on to the controller (KIP-590) with who asks for it: in its newest version, since a value has no version; the
 * answer is encoded in the client's. The controller answers when the brokers that follow it have applied what was
 * decided, this one too. Where it cannot be reached, `refusal` says so item by item, with a code that clients retry
 * (NOT_CONTROLLER); Kafka's broker holds the request until it times out.
 */
export function forwarded<A extends AnyApi>(
  broker: Broker,
  api: A,
  request: RequestInput<A> | RequestOf<A>,
  context: RequestContext,
  refusal: (error: KafkaError) => ResponseInput<A>,
  version = api.versions.max,
): Promise<ResponseInput<A>> {
  return broker.forward(api, request as RequestInput<A>, context, version).catch((error: unknown) => {
    if (error instanceof KafkaError) return refusal(error)
    throw error
  }) as Promise<ResponseInput<A>>
}
