/** The wall clock of this process, standing still until it is moved: what happens by time then happens the same way every time. */
export class FakeClock {
  readonly #real = Reflect.get(Date, "now");
  nowMs = Date.now();

  /** From now on `Date.now` tells this clock's time. */
  install(): void {
    Date.now = () => this.nowMs;
  }

  /** Gives the real clock back. */
  remove(): void {
    Date.now = this.#real;
  }
}
