// Everything that must hold: types, lint, formatting, unit tests, and the tests against a real API server.
//
//   npm test                     all of it
//   npm test -- unit             one part: check, unit, cluster or machines
//   npm test -- cluster --shard 2/3   the second third of its files, for machines side by side
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { gofmt } from "./check/go.ts";

const root = resolve(import.meta.dirname, "..");

/** Tests passed and failed, and how long they took. */
interface Tally {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

const parts: Readonly<Record<string, () => Promise<Omit<Tally, "name" | "seconds">>>> = {
  check: async () => {
    const commands = [
      ["tsc", "--noEmit"],
      ["eslint", "."],
      ["prettier", "--check", "--log-level", "warn", "."],
    ];
    const passed = [gofmt(), ...(await Promise.all(commands.map(tool)))];
    return { passed: passed.filter(Boolean).length, failed: passed.filter((ok) => !ok).length };
  },
  unit: () => suite("test/unit/**/*.test.ts", 2),
  // One after the other: each has a cluster to itself.
  cluster: () => suite("test/cluster/*.test.ts", 1),
  // Three machines in a network of their own, as root; one more that is not there, behind a stand-in for talosctl.
  machines: () => suite("test/machines/*.test.ts", 1),
};

/** Runs one of the npm packages' commands. */
async function tool(command: readonly string[]): Promise<boolean> {
  const [name = "", ...rest] = command;
  const child = spawn(process.execPath, [join(root, "node_modules", ".bin", name), ...rest], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((done) => child.once("exit", done));
  console.log(`${code === 0 ? "✔" : "✖"} ${command.join(" ")}`);
  return code === 0;
}

/** `2/3` is the second of three. */
function shardOf(text: string | undefined): { readonly index: number; readonly total: number } | undefined {
  if (text === undefined) {
    return undefined;
  }
  const [index = NaN, total = NaN] = text.split("/").map(Number);
  if (!(Number.isInteger(index) && Number.isInteger(total) && index >= 1 && index <= total)) {
    console.error(`--shard ${text}: not a share; write for example 2/3`);
    process.exit(2);
  }
  return { index, total };
}

async function suite(pattern: string, concurrency: number): Promise<Omit<Tally, "name" | "seconds">> {
  const files = globSync(pattern, { cwd: root })
    .map((file) => resolve(root, file))
    .sort();
  let passed = 0;
  let failed = 0;
  const stream = run({ files, concurrency, ...(shard === undefined ? {} : { shard }) });
  // Groups are reported beside the tests in them; only tests count.
  stream.on("test:pass", ({ details }) => {
    passed += details.type === "suite" ? 0 : 1;
  });
  stream.on("test:fail", ({ details }) => {
    failed += details.type === "suite" ? 0 : 1;
  });
  const report = stream.compose(spec);
  report.pipe(process.stdout, { end: false });
  await new Promise((done) => report.once("end", done));
  if (passed + failed === 0) {
    console.log(`✖ ${pattern}: no test ran`);
    failed = 1;
  }
  return { passed, failed };
}

const { positionals: wanted, values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { shard: { type: "string" } },
});
const shard = shardOf(values.shard);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`no part is called ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}

const tallies: Tally[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) {
    const start = performance.now();
    const { passed, failed } = await part();
    tallies.push({ name, passed, failed, seconds: Math.round((performance.now() - start) / 1000) });
  }
}

console.log();
for (const { name, passed, failed, seconds } of tallies) {
  console.log(`${name}: ${passed} passed, ${failed} failed in ${seconds} s`);
}
const sum = (key: "passed" | "failed") => tallies.reduce((total, tally) => total + tally[key], 0);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
process.exitCode = sum("failed") === 0 ? 0 : 1;
