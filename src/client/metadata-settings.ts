/** `metadata.recovery.strategy` and `metadata.recovery.rebootstrap.trigger.ms`. */
export interface Recovery {
  readonly strategy: string
  readonly triggerMs: number
}

/** Keys that every client has for its metadata. */
export interface MetadataConfigs {
  readonly 'metadata.max.age.ms': number
  readonly 'metadata.recovery.strategy': string
  readonly 'metadata.recovery.rebootstrap.trigger.ms': number
  readonly 'retry.backoff.ms': number
  readonly 'retry.backoff.max.ms': number
}

export function metadataSettings(configs: MetadataConfigs) {
  return {
    maxAgeMs: configs['metadata.max.age.ms'],
    retryBackoffMs: configs['retry.backoff.ms'],
    retryBackoffMaxMs: configs['retry.backoff.max.ms'],
    recovery: {
      strategy: configs['metadata.recovery.strategy'].toLowerCase(),
      triggerMs: configs['metadata.recovery.rebootstrap.trigger.ms'],
    },
  }
}
