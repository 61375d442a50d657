import { expect } from "chai";
import { ConfigError, readSettings, type Schema } from "#libs/config/settings.js";
import { taskServiceSettings } from "#task-service/settings.js";
import { workerSettingsSchema } from "#worker/settings.js";

const RANGE = /^(-?\d+)–(\d+)$/;
const services: readonly (readonly [name: string, schema: Schema])[] = [
  ["task-service", taskServiceSettings],
  ["worker", workerSettingsSchema],
];

function isAccepted(schema: Schema, name: string, env: string, value: number): boolean {
  try {
    return readSettings(schema, { env: { [env]: String(value) } })[name] === value;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

describe("Every setting that is a number, at its bounds and beyond (Bounded)", () => {
  for (const [service, schema] of services) {
    for (const [name, setting] of Object.entries(schema)) {
      const range = RANGE.exec(setting.allowed);
      if (range === null) continue;
      it(`${service}: ${setting.env} takes ${setting.allowed} and nothing else`, () => {
        const [least, most] = [Number(range[1]), Number(range[2])];
        for (const value of [least, least + 1, most - 1, most]) {
          expect(isAccepted(schema, name, setting.env, value), String(value)).to.equal(true);
        }
        for (const value of [least - 1, most + 1, least + 0.5]) {
          expect(isAccepted(schema, name, setting.env, value), String(value)).to.equal(false);
        }
      });
    }
  }
});
