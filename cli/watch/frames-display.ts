import { once } from "node:events";
import type { TasksFrame } from "#libs/client/taskwire-client.js";
import { frameObjects } from "#cli/watch/frame-objects.js";
import { LiveLines } from "#cli/watch/live-lines.js";
import { TasksTable } from "#cli/watch/tasks-table.js";

/** Shows the frames of a stream of many tasks. */
export interface FramesDisplay {
  /** Resolves when there is room for the next one; rejects when the signal fires while there is none. */
  show(frame: TasksFrame, signal: AbortSignal): Promise<void>;
  /** Nothing more comes. */
  end(): void;
}

/** One JSON object per line and item of a frame, and the cursor after each frame where that is wanted. */
export function framesAsJson(stream: NodeJS.WritableStream, withCursors: boolean): FramesDisplay {
  return {
    show: async (frame, signal) => {
      const lines = frameObjects(frame, withCursors).map((object) => `${JSON.stringify(object)}\n`);
      if (lines.length > 0 && !stream.write(lines.join(""))) await once(stream, "drain", { signal });
    },
    end: () => undefined,
  };
}

const TICK_MS = 250;

/** A live table at the bottom of a terminal; with `showsLogs`, log lines, output and warnings scroll above. */
export function framesAsTable(stream: NodeJS.WriteStream, showsLogs: boolean): FramesDisplay {
  const live = new LiveLines(stream);
  const table = new TasksTable();
  const draw = () => live.update(table.lines(new Date(), live.height));
  const clock = setInterval(draw, TICK_MS);
  draw();
  return {
    show: (frame) => {
      const lasting = table.take(frame);
      if (showsLogs) for (const line of lasting) live.print(line);
      return Promise.resolve();
    },
    end: () => {
      clearInterval(clock);
      draw();
      live.end();
    },
  };
}
