/** Anything long-running. */
export interface Service {
  /** Returns when the service is ready. Called once. */
  start(): Promise<void>;
  /** Returns when nothing of the service is left. May be called before `start`, and more than once. */
  stop(): Promise<void>;
}

/** Services that start in order and stop in reverse; when one fails to start, those before it are stopped again. */
export class ServiceGroup implements Service {
  readonly #services: readonly Service[];
  readonly #started: Service[] = [];

  constructor(services: readonly Service[]) {
    this.#services = services;
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      try {
        await service.start();
      } catch (error) {
        await this.stop();
        throw error;
      }
      this.#started.push(service);
    }
  }

  async stop(): Promise<void> {
    for (let service = this.#started.pop(); service !== undefined; service = this.#started.pop()) {
      await service.stop();
    }
  }
}
