import { z } from "zod";
import { defineTask, PermanentError, RetryableError } from "#libs/define-task/define-task.js";
import { COMMAND_NAME, readCommandFile } from "#worker/handlers/command-run/command-file.js";
import { runProgram } from "#worker/handlers/command-run/run-program.js";
import { handlerSettings } from "#worker/handlers/handler-settings.js";

const payload = z.strictObject({
  /** The name of a configured command. */
  command: z.string().regex(COMMAND_NAME),
  /** Any JSON; the program gets it on stdin. */
  input: z.unknown().default(null),
});

/** `command.run`: a configured program in any language as a handler; its result is whatever JSON the program says. */
export default defineTask("command.run", { payload }, async (task) => {
  const { command: name, input } = task.payload;
  const file = readCommandFile(handlerSettings().commandsFile);
  if (!file.ok) {
    // It was sound when the worker started, so somebody is at work on it.
    throw new RetryableError("COMMAND_FILE_INVALID", `the file of commands is not valid: ${file.problems[0]}`);
  }
  const command = file.commands.get(name);
  if (command === undefined) {
    throw new PermanentError("COMMAND_NOT_ALLOWED", `${name} is none of the configured commands`);
  }
  return runProgram(command, input, task);
});
