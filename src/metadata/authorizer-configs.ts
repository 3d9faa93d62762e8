/**
 * Keys that Kafka's StandardAuthorizer reads beside the broker's own (KIP-801): they are no part of KafkaConfig, and shown by
 * no broker.
 */
import { boolean, type ConfigOptionsOf, low, readOnly, string } from './config-definition.ts'

export const standardAuthorizerConfigs = {
  'allow.everyone.if.no.acl.found': boolean(false, low, readOnly),
  'super.users': string('', low, readOnly),
}

/** What a user may write, with the key that chooses the authorizer. */
export type AuthorizerConfigOptions = ConfigOptionsOf<typeof standardAuthorizerConfigs> & {
  readonly 'authorizer.class.name'?: string
}
