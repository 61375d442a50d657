interface Attachment {
  streams: number;
  /** When the last stream went, by the monotonic clock. */
  leftAtMs: number;
}

/** Which tasks RunTask streams are attached to, or were until a while ago. */
export class AttachedRuns {
  readonly #attachments = new Map<string, Attachment>();

  /** A stream is there for a task. Returns what to call once when it is gone. */
  attach(id: string): () => void {
    const attachment = this.#attachments.get(id) ?? { streams: 0, leftAtMs: 0 };
    attachment.streams += 1;
    this.#attachments.set(id, attachment);
    return () => {
      attachment.streams -= 1;
      attachment.leftAtMs = performance.now();
    };
  }

  /** Since when no stream is attached to a task, by the monotonic clock; null: one is; undefined: none ever was, as far as is known. */
  leftAtMs(id: string): number | null | undefined {
    const attachment = this.#attachments.get(id);
    if (attachment === undefined) return undefined;
    return attachment.streams > 0 ? null : attachment.leftAtMs;
  }

  /** Forgets tasks to which no stream is attached, unless `isOfInterest` says so. */
  forget(isOfInterest: (id: string) => boolean): void {
    for (const [id, { streams }] of this.#attachments)
      if (streams === 0 && !isOfInterest(id)) this.#attachments.delete(id);
  }
}
