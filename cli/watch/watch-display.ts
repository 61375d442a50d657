import type { WatchFrame } from "#libs/client/task-watch.js";
import { toPlainJson } from "#cli/output/plain-json.js";
import { LiveLines } from "#cli/watch/live-lines.js";
import type { TaskLine } from "#cli/watch/task-line.js";

/** Shows what happens to watched tasks. */
export interface WatchDisplay {
  /** A frame of a task, which its line has taken in already; `lasting` are lines that stay. */
  show(line: TaskLine, frame: WatchFrame, lasting: readonly string[]): void;
  /** Nothing more comes. */
  end(): void;
}

/** One JSON object per line and frame. */
export function jsonDisplay(stream: NodeJS.WritableStream): WatchDisplay {
  return {
    show: (line, frame) => {
      const object =
        frame.kind === "event"
          ? toPlainJson(frame.event)
          : { kind: "snapshot", taskId: line.id, sequence: frame.task.sequence, snapshot: toPlainJson(frame.task) };
      stream.write(`${JSON.stringify(object)}\n`);
    },
    end: () => undefined,
  };
}

const TICK_MS = 500;

/** A live line per task at the bottom of a terminal; logs and output scroll above. */
export function liveDisplay(stream: NodeJS.WriteStream, lines: readonly TaskLine[]): WatchDisplay {
  const live = new LiveLines(stream);
  const draw = () => {
    const now = new Date();
    live.update(lines.map((line) => line.text(now)));
  };
  const clock = setInterval(draw, TICK_MS);
  draw();
  return {
    show: (_line, _frame, lasting) => {
      for (const text of lasting) live.print(text);
      draw();
    },
    end: () => {
      clearInterval(clock);
      draw();
      live.end();
    },
  };
}

/** Shows nothing, for when a person is not looking and a program asked for the result alone. */
export function silentDisplay(): WatchDisplay {
  return { show: () => undefined, end: () => undefined };
}
