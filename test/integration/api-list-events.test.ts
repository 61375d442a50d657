import { expect } from "chai";
import type { TaskEvent } from "#libs/client/taskwire-client.js";
import * as methods from "#libs/client/service-methods.js";
import { TaskwireError } from "#libs/errors/taskwire-error.js";
import { ListTaskEventsRequest, ListTaskEventsResponse } from "#libs/proto/gen/taskwire/v1/task_service.js";
import { Channel } from "#libs/rpc/channel.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { endOf, expectWholeHistory, historyOf } from "#test/support/follow-task.js";
import { keySettings, newKey } from "#test/support/keyed-stack.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";

const UNKNOWN = "01900000-0000-7000-8000-000000000000";
const MAX_PAGE_BYTES = 2 * 1024 * 1024;
const LINES = 30;
/** More than four pages of 2 MiB in bytes. */
const OUTPUT_BYTES = 9_000_000;

for (const [store, keys] of [
  ["plain", {}],
  ["encrypted", keySettings(newKey())],
] as const) {
  describe(`ListTaskEvents over gRPC, ${store} store`, function () {
    this.timeout(120_000);
    let test: TestStack;
    let channel: Channel;
    let task: string;
    let watched: TaskEvent[];

    before(async () => {
      test = await startTestStack({
        workerArgs: ["--tasks", fixturePath("trouble-tasks.js")],
        workerEnv: { ...keys, TASKWIRE_OUTPUT_BYTES: String(2 * OUTPUT_BYTES) },
        serviceEnv: keys,
      });
      channel = new Channel({ address: test.address });
      task = await said("lines", LINES);
      watched = await historyOf(test.client, task);
    });
    after(async () => {
      channel?.close();
      await test?.stop();
    });

    async function said(what: string, size: number): Promise<string> {
      const { id } = await test.client.create("trouble.say", { what, size });
      await endOf(test.client, id);
      return id;
    }

    const list = (request: Parameters<typeof ListTaskEventsRequest.fromPartial>[0]) =>
      channel.unary(methods.listTaskEvents, ListTaskEventsRequest.fromPartial(request));

    async function pagesOf(query: Parameters<typeof list>[0]): Promise<ListTaskEventsResponse[]> {
      const pages: ListTaskEventsResponse[] = [];
      for (let pageToken = ""; pages.length === 0 || pageToken !== ""; pageToken = pages.at(-1)?.nextPageToken ?? "")
        pages.push(await list({ ...query, pageToken }));
      return pages;
    }

    const refusal = (request: Parameters<typeof list>[0]) =>
      list(request).then(
        () => ({ code: "OK", fields: [] }),
        (error: unknown) => {
          if (!(error instanceof TaskwireError)) throw error;
          return { code: error.code, fields: error.violations.map(({ field }) => field) };
        },
      );

    it("gives the events that a watch gives, page by page, in both directions", async () => {
      expect(watched).to.have.lengthOf.above(LINES);
      for (const [orderBy, expected] of [
        ["", watched],
        ["sequence", watched],
        [" sequence  asc ", watched],
        ["sequence desc", [...watched].reverse()],
      ] as const) {
        for (const pageSize of [1, 7, watched.length - 1, watched.length, watched.length + 1, 0]) {
          const pages = await pagesOf({ id: task, orderBy, pageSize });
          expect(pages).to.have.lengthOf(Math.ceil(watched.length / (pageSize || 50)));
          expect(pages.flatMap(({ events }) => events)).to.deep.equal(expected);
        }
      }
    });

    it("cuts pages at 2 MiB", async () => {
      const id = await said("output", OUTPUT_BYTES);
      const pages = await pagesOf({ id, pageSize: 1000 });
      const sizes = pages.map((page) => ListTaskEventsResponse.encode(page).finish().length);
      expect(pages).to.have.lengthOf.above(Math.floor(OUTPUT_BYTES / MAX_PAGE_BYTES));
      for (const size of sizes) expect(size).to.be.below(MAX_PAGE_BYTES + 10_000);
      for (const size of sizes.slice(0, -1)) expect(size).to.be.above(MAX_PAGE_BYTES - 100_000);
      const events = pages.flatMap((page) => page.events);
      expectWholeHistory(events);
      const latestFirst = (await pagesOf({ id, pageSize: 1000, orderBy: "sequence desc" })).flatMap(
        (page) => page.events,
      );
      expect(latestFirst.map(({ sequence }) => sequence)).to.deep.equal(
        events.map(({ sequence }) => sequence).reverse(),
      );
    });

    it("goes on with what has happened since the page before", async () => {
      const { id } = await test.client.create("nobody.home");
      expect(await list({ id, pageSize: 1 })).to.have.property("nextPageToken", "");
      await test.client.cancel(id);
      const first = await list({ id, pageSize: 1 });
      await test.client.retry(id);
      const rest = await pagesOf({ id, pageToken: first.nextPageToken });
      expect(
        first.events.concat(rest.flatMap(({ events }) => events)).map(({ kind }) => kind?.$case),
      ).to.include.members(["created", "cancelled", "reopened"]);
      await test.client.cancel(id);
    });

    it("refuses bad input and names the fields", async () => {
      const bad = (fields: readonly string[]) => ({ code: "INVALID_ARGUMENT", fields });
      const { nextPageToken } = await list({ id: task, pageSize: 1 });
      expect(await refusal({ id: "x", pageSize: -1, orderBy: "time", pageToken: "?" })).to.deep.equal(
        bad(["order_by", "page_size", "page_token", "id"]),
      );
      for (const orderBy of ["desc", "sequence down", "SEQUENCE"])
        expect(await refusal({ id: task, orderBy })).to.deep.equal(bad(["order_by"]));
      const wrong = [{ id: UNKNOWN }, { id: task, orderBy: "sequence desc" }];
      for (const request of wrong)
        expect(await refusal({ ...request, pageToken: nextPageToken })).to.deep.equal(bad(["page_token"]));
      const same = { id: task.toUpperCase(), orderBy: "sequence asc", pageToken: nextPageToken };
      expect(await refusal(same)).to.include({ code: "OK" });
    });

    it("says NOT_FOUND of a task that is not there, in both directions", async () => {
      for (const orderBy of ["sequence", "sequence desc"])
        expect(await refusal({ id: UNKNOWN, orderBy })).to.deep.equal({ code: "NOT_FOUND", fields: [] });
    });

    it("is what `taskwire events` prints when piped", async () => {
      const env = { TASKWIRE_ADDRESS: test.address };
      const printed = async (...args: string[]) => {
        const { stdout } = await runCli(["events", task, ...args], { env });
        return stdout
          .trimEnd()
          .split("\n")
          .map((line) => (JSON.parse(line) as { sequence: number }).sequence);
      };
      const sequences = watched.map(({ sequence }) => sequence);
      expect(await printed()).to.deep.equal(sequences);
      expect(await printed("--desc", "--limit", "3")).to.deep.equal(sequences.slice(-3).reverse());
      expect((await runCli(["events", UNKNOWN], { env })).exitCode).to.equal(5);
      expect((await runCli(["events", "x"], { env })).exitCode).to.equal(2);
    });
  });
}
