import type { RequestContext } from '../../wire/api.ts'

/**
 * Who sent a request, as Kafka writes it of members. Connections by socket are called `client@host:port`; who speaks over a
 * link inside this process is on this host.
 */
export function peerOf({ clientId, from }: RequestContext): { readonly clientId: string; readonly clientHost: string } {
  const host = /^(?:.*@)?(.+):\d+$/.exec(from)?.[1] ?? '127.0.0.1'
  return { clientId: clientId ?? '', clientHost: `/${host}` }
}
