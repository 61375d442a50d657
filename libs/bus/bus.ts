/** What JetStream answered to a publish. */
export interface PubAck {
  /** Where the message is in its stream. */
  readonly streamSequence: number;
  /** The stream already had a message of this id within the last minute; nothing was stored. */
  readonly duplicate: boolean;
}

/**
 * A worker runs a dispatch that JetStream has had for no longer than this, and hands out for the first time, without asking whether it is
 * still wanted. So the task-service does not end a task by force as long as that may be on its way; milliseconds.
 */
export const FRESH_DISPATCH_MS = 5000;

/** A JetStream message handed to a consumer. */
export interface Delivery {
  readonly data: Uint8Array;
  /** How often JetStream has handed this message out, this time included; from 1. */
  readonly deliveries: number;
  /** How long JetStream has had the message, milliseconds; by two clocks, so it may be wrong or negative. */
  readonly ageMs: number;
  /** Tells JetStream that it may forget the message. */
  ack(): void;
  /** Gives the message back: for at once, or after `delayMs` milliseconds. */
  giveBack(delayMs?: number): void;
}
