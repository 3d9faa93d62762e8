import type { Frame } from '../wire/frame.ts'

/** What a frame is, for rules and the trace: they never look inside. */
export interface FrameLabel {
  readonly kind: 'request' | 'response'
  /** The API's name. */
  readonly api: string
}

/** Why a connection is no more, as the trace says it. */
export type CloseReason = string

/**
 * One end of a connection, whoever carries it. Frames arrive in the order in which they were sent; after `onClose`
 * nothing arrives any more.
 */
export interface Channel {
  /** Who is at the other end, as the trace names it. */
  readonly peer: string
  readonly isClosed: boolean
  send(frame: Frame, label: FrameLabel): void
  /** Ends both directions; the other end learns of it behind what was sent before. */
  close(reason: CloseReason): void
  /** Called once, before anything can arrive. */
  receive(receiver: ChannelReceiver): void
}

export interface ChannelReceiver {
  /** What is still to settle because of this frame, if anything is, is answered as a promise. */
  onFrame(frame: Frame): unknown
  onClose(reason: CloseReason): void
}

export interface Address {
  readonly host: string
  readonly port: number
}

export function addressText(address: Address): string {
  return `${address.host}:${address.port}`
}

/** Where connections come from. */
export interface Carrier {
  /** Rejects when nobody listens there. `from` is the name of whoever connects. */
  connect(from: string, to: Address): Promise<Channel>
  /** Accepts connections until closed. */
  listen(name: string, at: Address, accept: (channel: Channel) => void): { close(): void }
}

/** A connection could not be made, or was lost before the answer came: what was asked may or may not have happened. */
export class ConnectionError extends Error {
  override readonly name: string = 'ConnectionError'
}
