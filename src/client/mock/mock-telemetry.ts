import { IllegalStateError, KafkaError } from '../../wire/errors.ts'
import { ClientError } from '../client-error.ts'

/** What a test says of the telemetry of a mock (KIP-714): only that, nothing is sent. */
export class MockTelemetry {
  id: string | undefined
  isDisabled = false
  /** How many calls time out; −1: all. */
  timeouts = 0
  readonly subscribed: string[] = []

  clientInstanceId(): string {
    if (this.isDisabled) throw new IllegalStateError('telemetry is disabled')
    // UnsupportedOperationException in Java.
    if (this.id === undefined) throw new ClientError('clientInstanceId is not set: call setClientInstanceId first')
    if (this.timeouts !== 0) {
      if (this.timeouts > 0) this.timeouts--
      throw new KafkaError('REQUEST_TIMED_OUT', 'a timeout that was injected by injectTimeoutException')
    }
    return this.id
  }
}
