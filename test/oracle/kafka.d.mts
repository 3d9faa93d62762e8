export interface OracleNode {
  readonly id: number
  readonly port: number
  /** Where other nodes reach it: put a proxy there that carries to `innerPort`. Only with `proxied`. */
  readonly proxyPort?: number
  readonly innerPort?: number
}

export interface OracleOptions {
  readonly dir?: string
  readonly brokers?: number
  readonly version?: string
  readonly configs?: Readonly<Record<string, string>>
  readonly brokerConfigs?: Readonly<Record<string, string>>
  readonly heap?: string
  readonly proxied?: boolean
  readonly beforeLaunch?: (nodes: readonly OracleNode[]) => Promise<void> | void
}

export const DEFAULT_VERSION: string
export const CONTROLLER: number
export function jars(version?: string): string
export function startKafka(options?: OracleOptions): Promise<Oracle>

export class Oracle {
  static open(dir: string): Oracle
  readonly bootstrapServers: string
  node(id: number): OracleNode
  launch(id: number): void
  ready(id: number, timeoutMs?: number): Promise<void>
  crash(id: number): Promise<void>
  term(id: number): Promise<void>
  pause(id: number): void
  resume(id: number): void
  restart(id: number): Promise<void>
  wipe(id: number): void
  stop(): Promise<void>
}
