/** Whom a connection speaks for (Kafka's KafkaPrincipal). */
export interface Principal {
  /** `User`, whatever the listener (M-65). */
  readonly type: string
  readonly name: string
}

/** What is spoken on a listener, and its code in the metadata log. */
export const securityProtocols = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 } as const
export type SecurityProtocol = keyof typeof securityProtocols

export const USER = 'User'

/** Who everybody is where nobody asks (M-65). */
export const ANONYMOUS: Principal = { type: USER, name: 'ANONYMOUS' }

/** As ACLs, quotas and tokens name it: `User:alice`. */
export function principalText({ type, name }: Principal): string {
  return `${type}:${name}`
}

/** The principal that is written `User:alice`: the type ends at the first colon. Undefined for what is not written so. */
export function parsePrincipal(text: string): Principal | undefined {
  const colon = text.indexOf(':')
  return colon > 0 ? { type: text.slice(0, colon), name: text.slice(colon + 1) } : undefined
}
