import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { lookup } from "node:dns";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "#libs/config/environment.js";
import { PermanentError } from "#libs/define-task/define-task.js";
import { createLeash } from "#libs/leash/leash.js";
import type { ResumeSettings } from "#worker/handlers/resume-process/resume-settings.js";
import { killProcessGroup } from "#worker/isolate/kill-process-group.js";
import { guardedLookup, refusePrivateHost } from "#worker/outbound/guarded-lookup.js";

/** What taking a picture goes by. */
export interface PictureOptions {
  readonly settings: Pick<ResumeSettings, "chromium" | "chromiumTimeoutMs">;
  /** Whether the page may be on an address that is not public. */
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
}

const MAX_PICTURE_BYTES = 4 * 1024 * 1024;
const PNG = Buffer.from("89504e470d0a1a0a", "hex");

/**
 * A picture (PNG, 1280 × 800, at most 4 MiB) of a page as headless Chromium shows it. The browser is in a process group of its own, which
 * is killed when it takes too long, when the signal fires and when this process dies. It reaches one host only, at the address that was
 * checked: neither redirects to others nor pictures and scripts from others are followed.
 *
 * Throws PermanentError `VISUAL_AGENT_FAILURE` with `reason` in its details (`not_configured`, `refused`, `unknown_host`, `not_started`,
 * `timeout`, `failed`, `no_picture`), or the signal's reason.
 */
export async function takePicture(page: string, options: PictureOptions): Promise<Buffer> {
  const { settings, allowPrivate } = options;
  if (settings.chromium === "") throw failure("not_configured", "TASKWIRE_CHROMIUM is not set");
  const url = pageUrl(page);
  const address = await addressOf(url.hostname, allowPrivate);
  const folder = await mkdtemp(join(tmpdir(), "taskwire-picture-"));
  try {
    const picture = join(folder, "picture.png");
    await runBrowser(browserArguments(url, address, folder, picture), folder, options);
    return await readPicture(picture);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function pageUrl(page: string): URL {
  const url = URL.canParse(page) ? new URL(page) : undefined;
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === undefined || !isWeb || url.username !== "" || url.password !== "") {
    throw failure("refused", "the page is not one of http or https without a user");
  }
  return url;
}

/** Where the page's host is. Refuses what `outboundFetch` refuses. */
async function addressOf(hostname: string, allowPrivate: boolean): Promise<string> {
  try {
    if (!allowPrivate) refusePrivateHost(hostname);
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    return await new Promise<string>((resolve, reject) => {
      guardedLookup(lookup, { allowPrivate })(host, {}, (error, address) => {
        if (error !== null) reject(error);
        else resolve(typeof address === "string" ? address : (address[0]?.address ?? ""));
      });
    });
  } catch (error) {
    if (error instanceof PermanentError) throw failure("refused", "the page's host has no public address");
    throw failure("unknown_host", "the page's host has no address");
  }
}

function browserArguments(url: URL, address: string, folder: string, picture: string): string[] {
  const target = address.includes(":") ? `[${address}]` : address;
  return [
    ...["--headless", "--disable-gpu", "--hide-scrollbars", "--mute-audio", "--no-first-run"],
    ...["--no-default-browser-check", "--disable-extensions", "--disable-sync", "--disable-background-networking"],
    // A proxy would look names up by itself.
    ...["--no-proxy-server", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"],
    `--host-resolver-rules=MAP ${url.hostname} ${target}, MAP * ~NOTFOUND`,
    `--user-data-dir=${join(folder, "profile")}`,
    "--window-size=1280,800",
    `--screenshot=${picture}`,
    url.href,
  ];
}

async function runBrowser(args: readonly string[], home: string, options: PictureOptions): Promise<void> {
  const { settings, signal } = options;
  signal.throwIfAborted();
  const { PATH, LANG } = environment();
  const browser = startBrowser(settings.chromium, args, { cwd: home, env: { PATH, LANG, HOME: home, TMPDIR: home } });
  const leash = createLeash();
  const kill = () => {
    if (browser.pid !== undefined) killProcessGroup(browser.pid);
  };
  if (browser.pid !== undefined) leash.holdGroup(browser.pid);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, settings.chromiumTimeoutMs);
  signal.addEventListener("abort", kill, { once: true });
  try {
    const code = await ended(browser);
    signal.throwIfAborted();
    if (late) throw failure("timeout", `the browser took more than ${settings.chromiumTimeoutMs} ms and was killed`);
    if (code !== 0) throw failure("failed", `the browser ended with ${code ?? "a signal"}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
    // What the browser started and left behind.
    kill();
    leash.release();
  }
}

function startBrowser(
  chromium: string,
  args: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env">,
): ChildProcess {
  try {
    return spawn(chromium, [...args], { ...options, detached: true, stdio: "ignore" });
  } catch (error) {
    throw notStarted(error);
  }
}

function notStarted(error: unknown): PermanentError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return failure("not_started", `the browser cannot be started: ${code}`);
}

function ended(browser: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    browser.once("exit", resolve);
    browser.once("error", (error) => {
      reject(notStarted(error));
    });
  });
}

async function readPicture(path: string): Promise<Buffer> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) throw failure("no_picture", "the browser made no picture");
  try {
    const { size } = await file.stat();
    if (size > MAX_PICTURE_BYTES) throw failure("no_picture", `the picture has more than ${MAX_PICTURE_BYTES} bytes`);
    const bytes = await file.readFile();
    if (!bytes.subarray(0, PNG.length).equals(PNG)) throw failure("no_picture", "the browser's picture is no PNG");
    return bytes;
  } finally {
    await file.close();
  }
}

function failure(reason: string, message: string): PermanentError {
  return new PermanentError("VISUAL_AGENT_FAILURE", message, { details: { reason } });
}
