import {
  createServer,
  connect as openTls,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls'
import { SslAuthenticationError } from '../wire/errors.ts'
import type { Principal } from '../wire/principal.ts'
import type { Address } from './channel.ts'

/** How a client speaks TLS. */
export interface TlsSettings {
  /** Certificates, keys, versions, ciphers. */
  readonly context: SecureContext
  /** The certificate at the other end must be for the host that was meant (`ssl.endpoint.identification.algorithm`). */
  readonly checksHost: boolean
}

/** How a listener speaks TLS. */
export interface ServerTls {
  /** Certificates, keys, versions, ciphers: they have been tried. */
  readonly options: SecureContextOptions
  /** `ssl.client.auth`; one that is shown has to be good in any case. */
  readonly clientCertificate: 'none' | 'requested' | 'required'
  /** Who a certificate in DER is for. @throws {Error} where it is for nobody */
  readonly principalOf: (certificate: Uint8Array) => Principal
}

/**
 * Listens for TLS. `agreed` gets each socket whose other end may speak, `refused` is told of the others. Simplification: a client
 * whose certificate nobody known has vouched for is not told so by an alert, since Node sends none: its connection ends.
 */
export function tlsServer(
  { options, clientCertificate, principalOf }: ServerTls,
  agreed: (socket: TLSSocket, principal: Principal | undefined) => void,
  refused: (socket: TLSSocket, reason: string) => void,
  idleMs: number | undefined,
): Server {
  const server = createServer({
    ...options,
    requestCert: clientCertificate !== 'none',
    rejectUnauthorized: clientCertificate === 'required',
    noDelay: true,
    keepAlive: true,
    // As long as any other silence (W-6); 0 is never.
    handshakeTimeout: idleMs === undefined || idleMs <= 0 ? 0 : Math.min(idleMs, 0x7fffffff),
  } as TlsOptions)
  server.on('secureConnection', socket => {
    // As in Kafka's SslTransportLayer: who tries is cut off. Node would forget `connections.max.idle.ms` over it.
    socket.disableRenegotiation()
    const certificate = clientCertificate === 'none' ? undefined : socket.getPeerX509Certificate()?.raw
    const refuse = (reason: string) => {
      refused(socket, reason)
      socket.destroy()
    }
    if (certificate !== undefined && !socket.authorized) {
      refuse(`its certificate is not trusted: ${socket.authorizationError}`)
      return
    }
    try {
      agreed(socket, certificate && principalOf(certificate))
    } catch (error) {
      refuse((error as Error).message)
    }
  })
  server.on('tlsClientError', (error, socket) => {
    const { authorizationError } = socket
    refused(socket, authorizationError ? `its certificate is not trusted: ${authorizationError}` : error.message)
    socket.destroy()
  })
  return server
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
