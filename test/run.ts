// Everything that must hold: types, lint, formatting, unit tests, and the tests against a real API server.
//
//   npm test                          all of it
//   npm test -- check unit            some parts of it: check, unit, cluster, machines or live
//   npm test -- drill                 the test files with `drill` in their path
//   npm test -- cluster drill         those of one part
//   npm test -- cluster --shard 2/3   the second third of a part's files, for several machines
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { inspect, parseArgs } from "node:util";
import { cacheDirectory } from "../local/cache.ts";
import { gofmt } from "./check/go.ts";

const root = resolve(import.meta.dirname, "..");

/** How many short test files run at once. */
const atOnce = 2;

/**
 * How many test files with a cluster of their own run at once. They spend a quarter of their time waiting: two of them do not keep
 * two cores busy. Three clusters need about 8 GiB of memory.
 */
const clustersAtOnce = 3;

/** The files that take longest start first, so that none of them runs alone at the end. */
const longest = [
  "interrupted",
  "move",
  "drill",
  "guards",
  "recover",
  "guest-versions",
  "local",
  "drift",
  "stacks",
  "rebuild",
  "machines",
];

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** What failed, and why: printed once more at the end, where somebody who has only the end of a long log finds it. */
const failures: string[] = [];

const testFiles = {
  unit: "test/unit/**/*.test.ts",
  cluster: "test/cluster/*.test.ts",
  machines: "test/machines/*.test.ts",
  live: "test/live/*.test.ts",
} as const;

const parts: Readonly<Record<string, () => Promise<Counts>>> = {
  check,
  // Hundreds of short tests: one report as they run.
  unit: () => report(files("unit"), atOnce),
  cluster: () => oneByOne(files("cluster")),
  machines: () => oneByOne(files("machines")),
  // Real pods keep the whole machine busy.
  live: () => oneByOne(files("live"), 1),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { shard: { type: "string" } },
});
/** Ends the test files that run, which remove their clusters, when this process is to end. */
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interruption.abort();
  });
}
const chosenParts = positionals.filter((name) => name in parts);
const wantedFiles = positionals.filter((name) => !(name in parts));
const shard = shardOf(values.shard);

/** `2/3` is the second of three. */
function shardOf(text: string | undefined): { readonly index: number; readonly total: number } | undefined {
  if (text === undefined) {
    return undefined;
  }
  const [index = NaN, total = NaN] = text.split("/").map(Number);
  if (!(Number.isInteger(index) && Number.isInteger(total) && index >= 1 && index <= total)) {
    console.error(`--shard ${text}: not a shard; write for example 2/3`);
    process.exit(2);
  }
  return { index, total };
}

/** A part's test files that were asked for. */
function files(part: keyof typeof testFiles): string[] {
  return globSync(testFiles[part], { cwd: root })
    .sort()
    .filter((file) => wantedFiles.length === 0 || wantedFiles.some((wanted) => file.includes(wanted)))
    .filter((_, index) => shard === undefined || index % shard.total === shard.index - 1)
    .map((file) => resolve(root, file));
}

async function check(): Promise<Counts> {
  const commands = [
    ["eslint", "."],
    ["tsc", "--noEmit"],
    ["prettier", "--check", "--log-level", "warn", "."],
  ];
  const results = [gofmt(), ...(await Promise.all(commands.map(packageCommand)))];
  return { passed: results.filter(Boolean).length, failed: results.filter((passed) => !passed).length };
}

/** Runs a command of an npm package. Says whether it succeeded. */
async function packageCommand(command: readonly string[]): Promise<boolean> {
  const [name = "", ...rest] = command;
  const child = spawn(process.execPath, [join(root, "node_modules", ".bin", name), ...rest], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((done) => child.once("exit", done));
  console.log(`${code === 0 ? "✔" : "✖"} ${command.join(" ")}`);
  return code === 0;
}

/** Runs test files and prints what Node reports of them as `print` gets it. */
async function report(
  paths: string[],
  concurrency: number,
  print = (text: string): void => void process.stdout.write(text),
): Promise<Counts> {
  let passed = 0;
  let failed = 0;
  const stream = run({ files: paths, concurrency, signal: interruption.signal });
  // Groups are reported beside the tests in them; only tests count.
  stream.on("test:pass", ({ details }) => {
    passed += details.type === "suite" ? 0 : 1;
  });
  stream.on("test:fail", ({ name, file, details }) => {
    if (details.type !== "suite") {
      failed += 1;
      failures.push(`✖ ${relative(root, file ?? "")}: ${name}\n${inspect(details.error.cause)}`);
    }
  });
  for await (const text of stream.compose(spec)) {
    print(String(text));
  }
  if (passed + failed === 0) {
    print(`✖ no test ran in ${paths.map((path) => relative(root, path)).join(", ")}\n`);
    failed = 1;
  }
  return { passed, failed };
}

/** Runs long test files, each with a cluster or machines of its own, and prints the report of each when it ends. */
async function oneByOne(paths: string[], concurrency = clustersAtOnce): Promise<Counts> {
  const rank = (path: string): number =>
    (longest.indexOf(basename(path, ".test.ts")) + longest.length + 1) % (longest.length + 1);
  const waiting = [...paths].sort((one, other) => rank(one) - rank(other));
  const counts: Counts[] = [];
  const worker = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined && !interruption.signal.aborted; path = waiting.shift()) {
      const name = relative(root, path);
      const start = performance.now();
      console.log(`▷ ${name} has started`);
      let text = "";
      const result = await report([path], 1, (more) => (text += more));
      counts.push(result);
      console.log(`\n━━ ${name}, ${secondsSince(start)} s\n${text}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { passed: sum(counts, "passed"), failed: sum(counts, "failed") };
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1000);
}

function sum(counts: readonly Counts[], key: keyof Counts): number {
  return counts.reduce((total, count) => total + count[key], 0);
}

/** Whether a part was asked for, by its name or by one of its files. */
function isWanted(name: string): boolean {
  const chosen = chosenParts.length === 0 || chosenParts.includes(name);
  return (
    chosen && (wantedFiles.length === 0 || (name in testFiles && files(name as keyof typeof testFiles).length > 0))
  );
}

const wanted = Object.entries(parts).filter(([name]) => isWanted(name));
if (wanted.length === 0) {
  console.error(
    `no part and no test file is called ${wantedFiles.join(", ")}; parts: ${Object.keys(parts).join(", ")}`,
  );
  process.exit(2);
}
// Hundreds of processes load the same modules: compiled once, they start in half the time.
process.env["NODE_COMPILE_CACHE"] ??= join(cacheDirectory(), "compiled");

const totals: Counts[] = [];
const lines: string[] = [];
for (const [name, part] of wanted) {
  if (interruption.signal.aborted) {
    break;
  }
  const start = performance.now();
  const counts = await part();
  totals.push(counts);
  lines.push(`${name}: ${counts.passed} passed, ${counts.failed} failed in ${secondsSince(start)} s`);
}
if (failures.length > 0) {
  console.log(`\n━━ what failed\n${failures.join("\n\n")}`);
}
console.log(`\n${lines.join("\n")}\n\n${sum(totals, "passed")} passed, ${sum(totals, "failed")} failed`);
process.exitCode = sum(totals, "failed") === 0 && !interruption.signal.aborted ? 0 : 1;
