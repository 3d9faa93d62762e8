/**
 * The addresses of `bootstrap.servers`. Names are not looked up here.
 */
import { ConfigError } from '../wire/errors.ts'

export interface ServerAddress {
  readonly host: string
  readonly port: number
}

const FORM = /^(?:[^/]*:\/\/)?(?:\[([0-9A-Za-z\-%._:]+)\]|([0-9A-Za-z\-%._]+)):(\d+)$/

/** @throws ConfigError naming the entry that is no `host:port` or has a port above 65535 */
export function serverAddresses(servers: readonly string[]): ServerAddress[] {
  return servers.map(server => {
    const parts = FORM.exec(server)
    if (parts === null) throw new ConfigError(`Invalid url in bootstrap.servers: ${server}`)
    const port = Number(parts[3])
    if (port > 65_535) throw new ConfigError(`Invalid port in bootstrap.servers: ${server}`)
    return { host: (parts[1] ?? parts[2])!, port }
  })
}
