/** A client that a cluster made, and closes. */
export interface Client {
  readonly name: string
  close(options?: { timeoutMs?: number }): Promise<void>
}

/** A client has a name, by which rules of the network and the trace know it: `cut(producer, broker)`. */
export type Named<C> = C & { readonly name: string }
