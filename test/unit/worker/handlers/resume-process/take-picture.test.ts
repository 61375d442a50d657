import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { fakeChromium, type ChromiumBehaviour } from "#test/fixtures/resumes/fake-chromium.js";
import { isAlive } from "#test/support/child-processes.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { rejectionOf } from "#test/support/rejection-of.js";
import { setEnvironment } from "#test/support/set-environment.js";
import { until } from "#test/support/until.js";
import { takePicture } from "#worker/handlers/resume-process/take-picture.js";

const PAGE = "http://127.0.0.1:9/portfolio?a=1&b=$(id)";

describe("takePicture (with a stand-in that takes Chromium's arguments)", () => {
  let folder: ReturnType<typeof freshDirectory>;
  let restore: () => void;

  beforeEach(() => {
    folder = freshDirectory();
    restore = setEnvironment({ TMPDIR: folder.path });
  });

  afterEach(() => {
    restore();
    folder.remove();
  });

  const take = (
    behaviour: ChromiumBehaviour,
    { page = PAGE, allowPrivate = true, chromiumTimeoutMs = 20_000, signal = new AbortController().signal } = {},
  ) => {
    const chromium = fakeChromium(folder.path, behaviour);
    return takePicture(page, { settings: { chromium, chromiumTimeoutMs }, allowPrivate, signal });
  };
  const failureOf = async (picture: Promise<unknown>) => {
    const error = await rejectionOf(picture);
    expect(error).to.include({ name: "PermanentError", code: "VISUAL_AGENT_FAILURE" });
    return Reflect.get(Object(Reflect.get(error, "details")), "reason") as unknown;
  };
  const pidIn = (name: string) =>
    until(`${name} has begun`, () => {
      const path = join(folder.path, name);
      return existsSync(path) && Number(readFileSync(path, "utf8"));
    });
  const leftovers = () => readdirSync(folder.path).filter((name) => name.startsWith("taskwire-picture-"));

  it("returns the browser's PNG and leaves no file", async () => {
    const picture = await take("picture");
    expect(picture.subarray(1, 4).toString()).to.equal("PNG");
    expect(leftovers()).to.deep.equal([]);
  });

  it("pins the page's host to the checked address and lets no other be reached; the page is one argument", async () => {
    await take("picture");
    const words = readFileSync(join(folder.path, "calls"), "utf8").split("\n");
    expect(words).to.include.members([
      "--headless",
      "--no-proxy-server",
      "--host-resolver-rules=MAP 127.0.0.1 127.0.0.1, MAP * ~NOTFOUND",
      PAGE,
    ]);
  });

  it("hands no setting and no key to the browser", async () => {
    const unset = setEnvironment({ TASKWIRE_LLM_API_KEY: "sesame" });
    try {
      await take("picture");
    } finally {
      unset();
    }
    expect(readFileSync(join(folder.path, "environment"), "utf8")).not.to.match(/TASKWIRE|sesame/);
  });

  it("kills a browser that hangs, and what it has started", async () => {
    const picture = failureOf(take("hang", { chromiumTimeoutMs: 300 }));
    const pids = await Promise.all([pidIn("browser"), pidIn("child")]);
    expect(await picture).to.equal("timeout");
    await until("both are gone", async () => !(await Promise.all(pids.map(isAlive))).includes(true));
    expect(leftovers()).to.deep.equal([]);
  });

  it("kills the browser when the signal fires", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled in the test");
    const picture = rejectionOf(take("hang", { signal: controller.signal }));
    const pids = await Promise.all([pidIn("browser"), pidIn("child")]);
    controller.abort(reason);
    expect(await picture).to.equal(reason);
    await until("both are gone", async () => !(await Promise.all(pids.map(isAlive))).includes(true));
  });

  it("leaves no browser behind when its own process is killed (kill -9)", async () => {
    const module = new URL("../../../../../services/worker/handlers/resume-process/take-picture.js", import.meta.url);
    const settings = { chromium: fakeChromium(folder.path, "hang"), chromiumTimeoutMs: 60_000 };
    const script = `const { takePicture } = await import(${JSON.stringify(module.href)});
      await takePicture(${JSON.stringify(PAGE)}, { settings: ${JSON.stringify(settings)}, allowPrivate: true, signal: new AbortController().signal });`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "ignore" });
    const pids = await Promise.all([pidIn("browser"), pidIn("child")]);
    parent.kill("SIGKILL");
    await until("both are gone", async () => !(await Promise.all(pids.map(isAlive))).includes(true));
  });

  it("says why there is no picture", async () => {
    expect(await failureOf(take("fail"))).to.equal("failed");
    expect(await failureOf(take("nothing"))).to.equal("no_picture");
    expect(await failureOf(take("text"))).to.equal("no_picture");
    const settings = { chromium: join(folder.path, "none"), chromiumTimeoutMs: 1000 };
    const options = { settings, allowPrivate: true, signal: new AbortController().signal };
    expect(await failureOf(takePicture(PAGE, options))).to.equal("not_started");
    expect(await failureOf(takePicture(PAGE, { ...options, settings: { ...settings, chromium: "" } }))).to.equal(
      "not_configured",
    );
  });

  it("starts no browser for a private address, another scheme, or a URL with a user in it", async () => {
    const refused = [
      "http://127.0.0.1/",
      "http://[::1]/",
      "http://localhost/",
      "file:///etc/passwd",
      "http://a:b@example.com/",
    ];
    for (const page of refused)
      expect(await failureOf(take("picture", { page, allowPrivate: false })), page).to.equal("refused");
    expect(existsSync(join(folder.path, "calls"))).to.equal(false);
  });
});
