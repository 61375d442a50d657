import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import promises from "node:timers/promises";
import { promisify } from "node:util";
import type { TestClock } from "#libs/testing/test-clock.js";

type Callback = (...args: unknown[]) => void;

/** What `setTimeout` returns. */
class FakeTimeout {
  readonly #clock: TestClock;
  readonly #call: () => void;
  readonly #delayMs: number;
  readonly #repeats: boolean;
  #takeBack: () => void = () => undefined;

  constructor(clock: TestClock, call: () => void, delayMs: number, repeats: boolean) {
    this.#clock = clock;
    this.#call = call;
    this.#delayMs = delayMs >= 1 ? delayMs : 1;
    this.#repeats = repeats;
    this.refresh();
  }

  refresh(): this {
    this.close();
    this.#takeBack = this.#clock.at(this.#clock.nowMs + this.#delayMs, () => {
      if (this.#repeats) this.refresh();
      this.#call();
    });
    return this;
  }

  close(): void {
    this.#takeBack();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose ?? Symbol("dispose")](): void {
    this.close();
  }
}

let isInstalled = false;

/**
 * Makes `setTimeout`, `setInterval` (of the globals, `node:timers` and, but for intervals, `node:timers/promises`) and `Date` of the whole
 * process obey a clock. Not `setImmediate`, `performance.now()`, `AbortSignal.timeout()` and what Node.js itself waits for, such as sockets.
 * Throws an Error while another one is installed.
 */
export class FakeTimers {
  readonly #before: (readonly [target: object, name: string, value: unknown])[] = [];

  constructor(clock: TestClock) {
    if (isInstalled) throw new Error("another task has faked the timers: end or close it first");
    isInstalled = true;
    const start =
      (repeats: boolean) =>
      (call: Callback, delayMs = 1, ...args: unknown[]) =>
        new FakeTimeout(
          clock,
          () => {
            call(...args);
          },
          delayMs,
          repeats,
        );
    const wait = waitOn(clock);
    const setTimeout = Object.assign(start(false), { [promisify.custom]: wait });
    for (const target of [globalThis, timers]) {
      const [clearTimeout, clearInterval] = [clearOn(target.clearTimeout), clearOn(target.clearInterval)];
      for (const [name, value] of Object.entries({ setTimeout, setInterval: start(true), clearTimeout, clearInterval }))
        this.#put(target, name, value);
    }
    this.#put(promises, "setTimeout", wait);
    this.#put(globalThis, "Date", dateOn(clock));
    syncBuiltinESMExports();
  }

  /** Puts everything back; timers that are still under way never fire. */
  uninstall(): void {
    if (this.#before.length === 0) return;
    for (const [target, name, value] of this.#before.splice(0)) Reflect.set(target, name, value);
    syncBuiltinESMExports();
    isInstalled = false;
  }

  #put(target: object, name: string, value: unknown): void {
    this.#before.push([target, name, Reflect.get(target, name)]);
    Reflect.set(target, name, value);
  }
}

/** Clears both kinds: some timers were started before. */
function clearOn(real: (timer: NodeJS.Timeout | undefined) => void) {
  return (timer: FakeTimeout | NodeJS.Timeout | undefined) => {
    if (timer instanceof FakeTimeout) timer.close();
    else real(timer);
  };
}

function waitOn(clock: TestClock) {
  return (delayMs = 1, value?: unknown, options: { readonly signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const onAbort = () => {
        timer.close();
        const error = new Error("The operation was aborted", { cause: signal?.reason });
        reject(Object.assign(error, { name: "AbortError", code: "ABORT_ERR" }));
      };
      const call = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve(value);
      };
      const timer = new FakeTimeout(clock, call, delayMs, false);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
    });
}

function dateOn(clock: TestClock): DateConstructor {
  return new Proxy(Date, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [clock.nowMs] : args, newTarget) as object,
    apply: (target) => new target(clock.nowMs).toString(),
    get: (target, name, receiver): unknown =>
      name === "now" ? () => clock.nowMs : Reflect.get(target, name, receiver),
  });
}
