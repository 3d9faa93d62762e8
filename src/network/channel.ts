import type { Frame } from '../wire/frame.ts'
import type { Principal } from '../wire/principal.ts'

/** What a frame is, for rules and the trace: they never look inside. */
export interface FrameLabel {
  readonly kind: 'request' | 'response'
  /** The API's name. */
  readonly api: string
}

/** Why a connection is no more, as the trace says it. */
export type CloseReason = string

/** What a carrier knows of whoever made a connection. */
export interface Caller {
  /** Address of its host, as text, without a port. */
  readonly host: string
  /** Who it is, if the carrier knows: by its certificate, or because the test says so. */
  readonly principal: Principal | undefined
  /** It came by a socket: at a listener with SASL it has to authenticate first. */
  readonly isOutside: boolean
  /** Told that it has said who it is: frames may be as long as the others' from now on. */
  authenticated?(): void
}

/**
 * One end of a connection, whoever carries it. Frames arrive in the order in which they were sent; after `onClose`
 * nothing arrives any more.
 */
export interface Channel {
  /** Who is at the other end, as the trace names it. */
  readonly peer: string
  /** Of the accepting end; undefined: somebody in this process, who need not say who they are. */
  readonly caller?: Caller | undefined
  readonly isClosed: boolean
  /**
   * More was sent than the way to the other end holds, since nobody takes it there: whoever can, waits for `onDrain`. What
   * is sent nevertheless is kept, so that an answer is never lost.
   */
  readonly isFull: boolean
  send(frame: Frame, label: FrameLabel): void
  /** Ends both directions; the other end learns of it behind what was sent before. */
  close(reason: CloseReason): void
  /** Called once, before anything can arrive. */
  receive(receiver: ChannelReceiver): void
  /** No frame arrives until `resume`, and no end that lies behind one: what comes fills the way, until its sender feels it. */
  pause(): void
  /** What waited arrives, here and now, until somebody pauses again; answers as `onFrame` does. */
  resume(): unknown
}

export interface ChannelReceiver {
  /** What is still to settle because of this frame, if anything is, is answered as a promise. */
  onFrame(frame: Frame): unknown
  /** `isReset`: the connection broke, it was not ended by the other side. `refusal`: the ends do not trust each other. */
  onClose(reason: CloseReason, isReset?: boolean, refusal?: Error): void
  /** The channel was full, and is not any more. */
  onDrain?(): unknown
}

export interface Address {
  readonly host: string
  readonly port: number
}

export function addressText(address: Address): string {
  const { host, port } = address
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
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
