import type { Runtime } from '../../runtime/runtime.ts'
import { type CompressionName, compressionNames, loadCodec } from '../../wire/compression.ts'
import { KafkaError } from '../../wire/errors.ts'

/** Codecs of batches that nobody has loaded yet: packages are loaded when they are needed, and each is tried once. */
export class MissingCodecs {
  readonly #runtime: Runtime
  readonly #tried = new Set<CompressionName>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Loads what an UNSUPPORTED_COMPRESSION_TYPE names; false: that is not what is wrong, or it was tried before. */
  async load(error: unknown): Promise<boolean> {
    if (!(error instanceof KafkaError) || error.errorName !== 'UNSUPPORTED_COMPRESSION_TYPE') return false
    const missing = compressionNames.filter(name => !this.#tried.has(name) && error.message.includes(name))
    for (const name of missing) {
      this.#tried.add(name)
      await this.#runtime.outside(`loading the ${name} codec`, loadCodec(name))
    }
    return missing.length > 0
  }
}
