import type { RequestContext } from '../../wire/api.ts'

/** Who sent a request, as Kafka writes it of members. */
export function peerOf({ clientId, host }: RequestContext): { readonly clientId: string; readonly clientHost: string } {
  return { clientId: clientId ?? '', clientHost: `/${host}` }
}
