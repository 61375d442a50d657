// Deletes from dist/ what no source file stands for any more, so that a deleted test does not run on. tsc never deletes.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const outputs = /(\.d\.ts|\.js|\.js\.map)$/;
const dist = join(root, "dist");

const files = existsSync(dist) ? readdirSync(dist, { recursive: true }) : [];
for (const file of files) {
  if (!outputs.test(file)) continue;
  if (!existsSync(join(root, file.replace(outputs, ".ts")))) rmSync(join(dist, file));
}
