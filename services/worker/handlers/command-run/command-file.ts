import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { errorMessage } from "#libs/errors/error-message.js";

/** Form of the name of a command: 1–63 lower-case letters, digits, `-` and `_`. */
export const COMMAND_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_COMMANDS = 200;
const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;

/** Text that the system can hand to a program. */
const plainText = z
  .string()
  .max(8192)
  .refine((text) => !text.includes("\0"), "must have no NUL");
const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "must be the name of an environment variable")
  .refine((name) => !name.startsWith("TASKWIRE_"), "names that begin with TASKWIRE_ are Taskwire's own");

const limits = z.strictObject({
  /** Longest run, milliseconds. */
  timeoutMs: z
    .int()
    .min(100)
    .max(24 * HOUR_MS)
    .default(HOUR_MS / 6),
  /** Time between SIGTERM and SIGKILL, milliseconds. */
  graceMs: z.int().min(0).max(60_000).default(2000),
  /** Longest line on stdout, bytes. */
  lineBytes: z
    .int()
    .min(1024)
    .max(4 * MIB)
    .default(MIB / 2),
  /** Most bytes on stdout in all. */
  stdoutBytes: z
    .int()
    .min(1024)
    .max(1024 * MIB)
    .default(16 * MIB),
});

const command = z.strictObject({
  argv: z
    .array(plainText)
    .min(1)
    .max(100)
    .refine(([program]) => program !== "", "must begin with a program"),
  cwd: plainText.min(1).optional(),
  env: z
    .record(variableName, plainText)
    .refine((variables) => Object.keys(variables).length <= 100, "must have at most 100 variables")
    .default({}),
  limits: limits.prefault({}),
});

const commandFile = z
  .record(z.string().regex(COMMAND_NAME, "must be 1–63 of a-z, 0-9, - and _"), command)
  .refine((commands) => Object.keys(commands).length <= MAX_COMMANDS, `must have at most ${MAX_COMMANDS} commands`);

/** A program that `command.run` may start. */
export interface ConfiguredCommand {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: z.infer<typeof limits>;
}

/** The commands of a file by name, or everything that is wrong with it; neither quotes what the file says, which may be secret. */
export type CommandFile =
  | { readonly ok: true; readonly commands: ReadonlyMap<string, ConfiguredCommand> }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads the commands of a file of at most 1 MiB. A `cwd` is relative to the file's directory, which is the default. No path: no commands.
 * Whether the programs exist is only found out when they are started.
 */
export function readCommandFile(path: string): CommandFile {
  if (path === "") return { ok: true, commands: new Map() };
  let content: unknown;
  try {
    if (statSync(path).size > MAX_FILE_BYTES)
      return { ok: false, problems: [`it has more than ${MAX_FILE_BYTES} bytes`] };
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return { ok: false, problems: [error instanceof SyntaxError ? "it is no JSON" : errorMessage(error)] };
  }
  const checked = commandFile.safeParse(content);
  if (!checked.success) return { ok: false, problems: checked.error.issues.map(problemOf) };
  const directory = dirname(resolve(path));
  const commands = Object.entries(checked.data).map(
    ([name, { cwd, ...rest }]) => [name, { ...rest, cwd: resolve(directory, cwd ?? ".") }] as const,
  );
  return { ok: true, commands: new Map(commands) };
}

/** What is wrong with the file that a setting names, as lines for people. */
export function commandFileProblems({ commandsFile }: { readonly commandsFile: string }): readonly string[] {
  const read = readCommandFile(commandsFile);
  return read.ok ? [] : read.problems.map((problem) => `TASKWIRE_COMMANDS_FILE=${commandsFile}: ${problem}`);
}

function problemOf(issue: z.core.$ZodIssue): string {
  const inner = issue.code === "invalid_key" ? issue.issues.map(({ message }) => message).join(", ") : issue.message;
  return issue.path.length === 0 ? inner : `${issue.path.join(".")}: ${inner}`;
}
