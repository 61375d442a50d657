import { setMaxListeners } from "node:events";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";
import { seenEvent } from "#test/robustness/record-task.js";
import { errorText, type Recorder } from "#test/robustness/recorder.js";

/**
 * Follows every accepted task to its end, past all proxies, and so knows within milliseconds when an end was committed: after that no
 * handler code of the attempt may run.
 */
export class TaskFollowers {
  readonly #client: TaskwireClient;
  readonly #recorder: Recorder;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  constructor(client: TaskwireClient, recorder: Recorder) {
    this.#client = client;
    this.#recorder = recorder;
    // One listener for each task that is followed.
    setMaxListeners(0, this.#stopping.signal);
    recorder.onRound((taskId, sequence) => {
      const follow = this.#follow(taskId, sequence);
      this.#underWay.add(follow);
      void follow.then(() => this.#underWay.delete(follow));
    });
  }

  /** Leaves all tasks. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay);
  }

  async #follow(taskId: string, afterSequence: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    const stream = this.#recorder.openStream("follower", taskId, afterSequence);
    try {
      for await (const frame of this.#client.watch(taskId, { afterSequence, signal }))
        if (frame.kind === "event") this.#recorder.frame(stream, { events: [seenEvent(frame.event)] });
      this.#recorder.closeStream(stream, "ok");
    } catch (error) {
      this.#recorder.closeStream(stream, signal.aborted ? "left" : errorText(error));
    }
  }
}
