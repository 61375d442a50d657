import { appendFileSync } from "node:fs";
import { monotonicMs } from "#test/robustness/effect-journal.js";
import { stepText, type Fault, type Step } from "#test/robustness/steps.js";

/** What happens in a run, for people, and how often. */
export class RunLog {
  readonly faults = new Map<string, number>();
  readonly #path: string;
  readonly #say: ((line: string) => void) | undefined;
  #restarts = 0;
  #isOpen = true;

  constructor(path: string, say: ((line: string) => void) | undefined) {
    this.#path = path;
    this.#say = say;
  }

  /** How often a process was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  say(line: string): void {
    appendFileSync(this.#path, `${monotonicMs().toFixed(0)} ${new Date().toISOString()} ${line}\n`);
    this.#say?.(line);
  }

  /** A fault begins, or is left out because this machine cannot make it. */
  fault(step: Step<Fault>, isPossible: boolean): void {
    const kind = isPossible ? step.action.kind : `left out: ${step.action.kind}`;
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    this.say(isPossible ? stepText(step) : `${stepText(step)}: left out, it is not supported here`);
  }

  /** Something became of a process. */
  news(name: string, what: string): void {
    if (what === "is up") this.#restarts += 1;
    if (this.#isOpen) this.say(`          ${name} ${what}`);
  }

  /** What becomes of processes is no news any more. */
  close(): void {
    this.#isOpen = false;
  }
}
