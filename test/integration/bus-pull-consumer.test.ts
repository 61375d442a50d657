import { expect } from "chai";
import { AckPolicy, DiscardPolicy, type ConsumerConfig, type StreamConfig } from "nats";
import type { Delivery } from "#libs/bus/bus.js";
import { BusConnection } from "#libs/bus/bus-connection.js";
import { JetStreamPublisher } from "#libs/bus/jetstream-publisher.js";
import { PullConsumer } from "#libs/bus/pull-consumer.js";
import { ensureStreams, ensureWorkConsumer, readWorkProgress, withdrawDispatch } from "#libs/bus/topology.js";
import { silentLogger } from "#libs/log/logger.js";
import { startNatsServer, type NatsServer } from "#libs/nats-server/start-nats-server.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { until } from "#test/support/until.js";

const QUEUE = "pulled";

type Manager = Awaited<ReturnType<BusConnection["nats"]["jetstreamManager"]>>;
type Remove = (manager: Manager, names: { workStream: string; workConsumer: string }) => Promise<boolean>;

const REMOVALS: readonly (readonly [what: string, remove: Remove])[] = [
  [
    "consumer is deleted",
    (manager, { workStream, workConsumer }) => manager.consumers.delete(workStream, workConsumer),
  ],
  ["stream is deleted", (manager, { workStream }) => manager.streams.delete(workStream)],
  [
    "consumer reads another subject",
    (manager, names) => replaceConsumer(manager, names, { filter_subject: "test.work.x" }),
  ],
  ["consumer is given one waiting request", (manager, names) => replaceConsumer(manager, names, { max_waiting: 1 })],
  ["consumer pushes", (manager, names) => replaceConsumer(manager, names, { deliver_subject: "nobody.listens" })],
];

/** What must not be altered, and what of it may not be repaired. */
const ALTERATIONS: readonly (readonly [what: string, change: Partial<StreamConfig>])[] = [
  ["its subjects", { subjects: ["elsewhere.>"] }],
  ["how long it remembers ids", { duplicate_window: 100_000_000 }],
  ["how long it keeps messages", { max_age: 1_000_000_000, duplicate_window: 1_000_000_000 }],
  ["what it does when it is full", { discard: DiscardPolicy.Old }],
  ["how much of a subject it keeps", { max_msgs_per_subject: 1 }],
];

async function replaceConsumer(
  manager: Manager,
  { workStream, workConsumer }: Parameters<Remove>[1],
  change: Partial<ConsumerConfig>,
): Promise<boolean> {
  await manager.consumers.delete(workStream, workConsumer);
  await manager.consumers.add(workStream, { durable_name: workConsumer, ack_policy: AckPolicy.Explicit, ...change });
  return true;
}

/** What a worker does with deliveries, by hand. */
class Reader {
  readonly deliveries: Delivery[] = [];
  readonly consumer: PullConsumer;
  repairs = 0;

  constructor(bus: BusConnection, expiresMs = 20_000) {
    this.consumer = new PullConsumer(bus, {
      stream: bus.subjects.workStream,
      consumer: bus.subjects.workConsumer(QUEUE),
      logger: silentLogger(),
      expiresMs,
      onDelivery: (delivery) => this.deliveries.push(delivery),
      onMissing: async () => {
        this.repairs += 1;
        await ensureStreams(bus);
        await ensureWorkConsumer(bus, QUEUE);
      },
    });
  }

  get texts(): string[] {
    return this.deliveries.map(({ data }) => Buffer.from(data).toString());
  }

  ackAll(): void {
    for (const delivery of this.deliveries.splice(0)) delivery.ack();
  }
}

describe("PullConsumer and withdrawDispatch on a real NATS", () => {
  let directory: ReturnType<typeof freshDirectory>;
  let server: NatsServer;
  let bus: BusConnection;
  let publisher: JetStreamPublisher;
  const readers: Reader[] = [];
  let published = 0;

  beforeEach(async () => {
    directory = freshDirectory();
    server = await startNatsServer({ storeDir: directory.path });
    bus = new BusConnection({ url: server.url, prefix: "test", name: "pull-test", logger: silentLogger() });
    publisher = new JetStreamPublisher(bus);
    await bus.start();
    await ensureStreams(bus);
    await ensureWorkConsumer(bus, QUEUE);
  });

  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.consumer.stop();
    publisher.close();
    await bus.stop();
    await server.stop();
    directory.remove();
  });

  function read(expiresMs?: number): Reader {
    const reader = new Reader(bus, expiresMs);
    readers.push(reader);
    return reader;
  }

  async function publish(count: number): Promise<number[]> {
    const acks = Array.from({ length: count }, () => {
      published += 1;
      const body = new TextEncoder().encode(`message-${published}`);
      return publisher.publish(bus.subjects.work(QUEUE), body, `id-${published}`);
    });
    return (await Promise.all(acks)).map(({ streamSequence }) => streamSequence);
  }

  /** Returns once NATS has dealt with everything that was asked of it before. */
  const settled = () => readWorkProgress(bus, QUEUE);

  it("delivers as much as was asked for and never more, over many small requests", async () => {
    await publish(40);
    const reader = read();
    let asked = 0;
    for (const count of [1, 3, 1, 5, 2, 8]) {
      reader.consumer.request(count);
      asked += count;
      await until(`${asked} messages have come`, () => reader.deliveries.length >= asked);
      await settled();
      expect(reader.deliveries.length).to.equal(asked);
      expect(reader.consumer.outstanding).to.equal(0);
    }
    expect(new Set(reader.texts).size).to.equal(asked);
  });

  it("holds what was asked for open while nothing is there, and asks again when its pulls expire", async () => {
    const reader = read(1000);
    for (let count = 0; count < 12; count += 1) reader.consumer.request(1);
    // Twice as long as a pull stays open, told by the server's clock.
    const { nats } = bus;
    const opened = Date.now();
    await until("pulls have expired", async () => (await nats.rtt()) >= 0 && Date.now() - opened > 2200);
    await publish(20);
    await until("12 messages have come", () => reader.deliveries.length >= 12);
    await settled();
    expect(reader.deliveries.length).to.equal(12);
  });

  it("shares messages between two readers, each within what it asked for", async () => {
    const [one, two] = [read(), read()];
    one.consumer.request(4);
    two.consumer.request(7);
    await publish(30);
    await until("both are full", () => one.deliveries.length >= 4 && two.deliveries.length >= 7);
    await settled();
    expect([one.deliveries.length, two.deliveries.length]).to.deep.equal([4, 7]);
    expect(new Set([...one.texts, ...two.texts]).size).to.equal(11);
  });

  it("gets back what it gave back, and after a stop gives back what still comes", async () => {
    await publish(1);
    const reader = read();
    reader.consumer.request(1);
    const first = await until("it has come", () => reader.deliveries.shift());
    first.giveBack();
    reader.consumer.request(1);
    const again = await until("it has come again", () => reader.deliveries.shift());
    expect(Buffer.from(again.data)).to.deep.equal(Buffer.from(first.data));
    again.ack();
    reader.consumer.request(3);
    await settled();
    reader.consumer.stop();
    await publish(2);
    const other = read();
    other.consumer.request(2);
    await until("another reader has them", () => new Set(other.texts).size === 2);
    expect(reader.deliveries).to.deep.equal([]);
  });

  for (const [what, remove] of REMOVALS) {
    it(`goes on when its ${what}`, async () => {
      const reader = read();
      reader.consumer.request(5);
      await settled();
      const manager = await bus.nats.jetstreamManager();
      const { subjects } = bus;
      await remove(manager, { workStream: subjects.workStream, workConsumer: subjects.workConsumer(QUEUE) });
      await until("it was repaired", () => reader.repairs > 0);
      await until("the stream is back", () => publish(1).catch(() => undefined));
      await publish(2);
      await until("messages come again", () => reader.deliveries.length >= 3);
      expect(reader.consumer.outstanding).to.equal(2);
    });
  }

  it("makes its consumer anew where nobody told it that it is missing: NATS has no answer to such a pull", async () => {
    const reader = read(1000);
    const manager = await bus.nats.jetstreamManager();
    await manager.consumers.delete(bus.subjects.workStream, bus.subjects.workConsumer(QUEUE));
    reader.consumer.request(2);
    await publish(2);
    await until("messages come", () => reader.deliveries.length === 2);
    expect(reader.repairs).to.equal(1);
  });

  it("asks the new consumer for what it had asked the deleted one for", async () => {
    const reader = read();
    reader.consumer.request(1);
    await settled();
    const manager = await bus.nats.jetstreamManager();
    const deleted = manager.consumers.delete(bus.subjects.workStream, bus.subjects.workConsumer(QUEUE));
    // On its way while the consumer goes: this one is never answered.
    reader.consumer.request(1);
    await deleted;
    await publish(2);
    await until("both messages come", () => reader.deliveries.length === 2);
  });

  it("goes on when its consumer is altered while it waits, once somebody repairs that", async () => {
    const reader = read();
    reader.consumer.request(5);
    await settled();
    const { workStream } = bus.subjects;
    const manager = await bus.nats.jetstreamManager();
    await manager.consumers.update(workStream, bus.subjects.workConsumer(QUEUE), { filter_subject: "test.work.x" });
    await ensureWorkConsumer(bus, QUEUE);
    await publish(3);
    await until("messages come again", () => reader.deliveries.length >= 3);
  });

  for (const [what, change] of ALTERATIONS) {
    it(`repairs a stream of which somebody altered ${what}, and leaves its sizes alone`, async () => {
      const { workStream } = bus.subjects;
      const manager = await bus.nats.jetstreamManager();
      const { config } = await manager.streams.info(workStream);
      await publish(1);
      await manager.streams.update(workStream, { ...config, max_bytes: 1_000_000, ...change });
      await ensureStreams(bus);
      const after = await manager.streams.info(workStream);
      expect(after.config).to.deep.equal({ ...config, max_bytes: 1_000_000 });
      expect(after.state.messages).to.equal(1);
    });
  }

  it("goes on when NATS is restarted with its storage wiped", async () => {
    const reader = read();
    reader.consumer.request(4);
    await publish(1);
    await until("the first has come", () => reader.deliveries.length === 1);
    await server.kill();
    const { port } = server;
    const wiped = freshDirectory();
    directory.remove();
    directory = wiped;
    server = await startNatsServer({ storeDir: wiped.path, port });
    await until("it is connected again", () => bus.connected);
    await until("the stream is back", () => publish(1).catch(() => undefined));
    await until("messages come again", () => reader.deliveries.length >= 2);
    await publish(5);
    await until("all that was asked for has come", () => reader.deliveries.length >= 4);
    await settled();
    expect(reader.deliveries.length).to.equal(4);
  });

  it("withdraws a dispatch for certain while nobody was handed it", async () => {
    const [first = 0, second = 0] = await publish(2);
    expect(await withdrawDispatch(bus, QUEUE, second)).to.equal(true);
    const reader = read();
    reader.consumer.request(5);
    await until("the other one has come", () => reader.deliveries.length === 1);
    await settled();
    expect(reader.texts).to.deep.equal([`message-${published - 1}`]);
    expect(await withdrawDispatch(bus, QUEUE, first), "a worker has it").to.equal(false);
    reader.ackAll();
    expect(await withdrawDispatch(bus, QUEUE, first), "it is done").to.equal(false);
    expect(await withdrawDispatch(bus, QUEUE, 9999), "there is none").to.equal(false);
  });

  it("is not certain about a dispatch that was given back", async () => {
    const [sequence = 0] = await publish(1);
    const reader = read();
    reader.consumer.request(1);
    const delivery = await until("it has come", () => reader.deliveries.shift());
    delivery.giveBack(60_000);
    await settled();
    expect(await withdrawDispatch(bus, QUEUE, sequence)).to.equal(false);
  });
});
