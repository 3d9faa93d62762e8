import { connect as openTls, type SecureContext, type TLSSocket } from 'node:tls'
import { SslAuthenticationError } from '../wire/errors.ts'
import type { Address } from './channel.ts'

/** How a client speaks TLS. */
export interface TlsSettings {
  /** Certificates, keys, versions, ciphers. */
  readonly context: SecureContext
  /** The certificate at the other end must be for the host that was meant (`ssl.endpoint.identification.algorithm`). */
  readonly checksHost: boolean
}

/** Opens a connection; it says `secureConnect` when both ends are agreed, and not `connect`. */
export function tlsSocket({ host, port }: Address, { context, checksHost }: TlsSettings): TLSSocket {
  // Documented by Node, and not declared: the other end may have ended what we still read.
  const halfOpen = { allowHalfOpen: true }
  const socket = openTls({
    ...halfOpen,
    host,
    port,
    secureContext: context,
    // The name is not said for addresses: RFC 6066 has none for them.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(checksHost ? {} : { checkServerIdentity: () => undefined }),
  })
  socket.setNoDelay(true)
  socket.setKeepAlive(true)
  return socket
}

/** Why the ends do not trust each other; undefined for what is a matter of the network. */
export function tlsRefusal(error: Error, where: string): SslAuthenticationError | undefined {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (!isTlsCode(code)) return undefined
  return new SslAuthenticationError(`SSL handshake with ${where} failed: ${error.message}`, error)
}

/** OpenSSL's and Node's codes; those of system calls begin with E and have no underscore, but for EPROTO. */
function isTlsCode(code: string): boolean {
  return code.includes('_') || code === 'EPROTO'
}
