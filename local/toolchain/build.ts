import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Failure } from "../../errors/failure.ts";
import { duration, type Reporter } from "../terminal.ts";
import { type Go, goOptions, moduleFolder } from "./go.ts";
import { moduleBuildFlags, type Tool, type ToolModule } from "./tools.ts";

/**
 * Builds tools of one module into `target`. Programs appear there whole or not at all; what Go compiled before an
 * interruption stays in its own cache, so that the next run continues from there.
 */
export async function build(
  go: Go,
  module: ToolModule,
  tools: readonly Tool[],
  source: string,
  target: string,
  reporter: Reporter,
): Promise<void> {
  const parent = join(target, "..");
  mkdirSync(target, { recursive: true });
  // Left by an interrupted build: the caller holds the lock, so nobody else is building here.
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith("building-"))) {
    rmSync(join(parent, name), { recursive: true, force: true });
  }
  const work = mkdtempSync(join(parent, "building-"));
  const removeWork = (): void => {
    rmSync(work, { recursive: true, force: true });
  };
  process.once("exit", removeWork);
  try {
    const started = Date.now();
    const names = tools.map((tool) => tool.name).join(", ");
    reporter.line(`building ${names} (once; about ${module.minutes} min on 2 cores with nothing compiled yet)`);
    reporter.progress(`${module.name}: downloading modules`);
    // In a copy, because the build adds files and must not write to a checkout.
    const directory = join(work, "source");
    cpSync(source, directory, { recursive: true });
    for (const file of module.files?.from ?? []) {
      const copy = join(directory, module.files?.into ?? "", basename(file));
      copyFileSync(join(moduleFolder(module.folder ?? module.name, module.files?.module ?? ""), file), copy);
      chmodSync(copy, 0o644);
    }
    complete(go, module, directory);
    const output = join(work, "bin");
    mkdirSync(output);
    await compile(go, module, tools, directory, output, reporter);
    for (const tool of tools) {
      const built = join(output, tool.output ?? basename(tool.package));
      if (!existsSync(built)) {
        throw new Failure(`go build succeeded without ${basename(built)}: local/toolchain/tools.ts is wrong.`);
      }
      renameSync(built, join(target, tool.name));
    }
    reporter.line(`built ${names} in ${duration((Date.now() - started) / 1000)}`);
  } finally {
    process.off("exit", removeWork);
    removeWork();
  }
}

/** Puts a whole copy of a module that lacks files beside ours, and has our `go.mod` take it from there. */
function complete(go: Go, { name, folder, completed }: ToolModule, directory: string): void {
  if (completed === undefined) {
    return;
  }
  const copy = join(directory, "completed");
  cpSync(moduleFolder(folder ?? name, completed.module), copy, { recursive: true });
  // What is in Go's cache may not be written to.
  for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) {
      chmodSync(join(entry.parentPath, entry.name), 0o755);
    }
  }
  for (const [path, text] of Object.entries(completed.files)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }
  const replacement = `-replace=${completed.module}=./completed`;
  const result = spawnSync(go.executable, ["mod", "edit", replacement], { ...goOptions(directory), encoding: "utf8" });
  if (result.status !== 0) {
    throw new Failure(`go mod edit ${replacement} failed: ${result.error?.message ?? result.stderr}`);
  }
}

/**
 * Seconds that remain of a build, from what it has compiled so far. At its start the table's time is all there is to go
 * by; the further it is, the more its own pace counts, which also fits slower and faster machines.
 */
export function remainingSeconds(build: {
  /** Packages compiled, of those that had to be. */
  readonly compiled: number;
  readonly total: number;
  readonly elapsedSeconds: number;
  /** What the table says for this many packages. */
  readonly expectedSeconds: number;
}): number {
  const done = build.total === 0 ? 1 : Math.min(1, build.compiled / build.total);
  const rest = 1 - done;
  // (1 - done) × expected weighted by (1 - done), plus elapsed × (1 - done) / done weighted by done.
  return rest * (rest * build.expectedSeconds + build.elapsedSeconds);
}

/** Compiles tools into `output`, and reports how far it is. */
async function compile(
  go: Go,
  module: ToolModule,
  tools: readonly Tool[],
  directory: string,
  output: string,
  reporter: Reporter,
): Promise<void> {
  const packages = tools.map((tool) => tool.package);
  const buildFlags = moduleBuildFlags(module);
  const { all, stale: total } = await countPackages(go, directory, buildFlags, packages);
  // Linking takes about a tenth of a cold build, and is never in the cache.
  const expectedSeconds = module.minutes * 60 * (0.1 + 0.9 * (total / Math.max(1, all)));
  const flags = [...buildFlags, `-ldflags=-s -w ${module.linkerFlags.join(" ")}`];
  const started = Date.now();
  const child = spawn(go.executable, ["build", "-v", ...flags, "-o", `${output}/`, ...packages], {
    ...goOptions(directory),
    stdio: ["ignore", "ignore", "pipe"],
    // In a process group of its own, so that an interruption also stops the compilers that it started.
    detached: true,
  });
  const stop = (): void => {
    try {
      if (child.pid !== undefined) {
        process.kill(-child.pid, "SIGTERM");
      }
    } catch {
      // Already gone.
    }
  };
  // Before the folder is removed that they write to.
  process.prependOnceListener("exit", stop);
  let compiled = 0;
  let downloaded = 0;
  const messages: string[] = [];
  const timer = setInterval(() => {
    const elapsedSeconds = (Date.now() - started) / 1000;
    const rest = remainingSeconds({ compiled, total, elapsedSeconds, expectedSeconds });
    const step =
      compiled === 0 && downloaded > 0
        ? `${downloaded} modules downloaded`
        : compiled < total
          ? `${compiled} of ${total} packages compiled`
          : "linking";
    reporter.progress(`${module.name}: ${step}, ${duration(elapsedSeconds)} so far, about ${duration(rest)} left`);
  }, 1000);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.startsWith("go: downloading ")) {
      downloaded += 1;
    } else if (/^[\w.~-]+(\/[\w.~!+-]+)*$/.test(line)) {
      compiled += 1;
    } else {
      messages.push(line);
    }
  }
  const code = await exited;
  clearInterval(timer);
  process.off("exit", stop);
  reporter.done();
  if (code !== 0) {
    throw new Failure(
      `go build of ${tools.map((tool) => tool.name).join(", ")} failed:\n${messages.slice(-30).join("\n")}\n` +
        "If a download failed, check the network and run the command again: it continues where it stopped.",
    );
  }
}

/** How many packages the programs consist of, and how many of them are not in Go's cache yet. */
async function countPackages(
  go: Go,
  directory: string,
  buildFlags: readonly string[],
  packages: readonly string[],
): Promise<{ readonly all: number; readonly stale: number }> {
  const child = spawn(go.executable, ["list", "-deps", ...buildFlags, "-f", "{{.Stale}}", ...packages], {
    ...goOptions(directory),
    stdio: ["ignore", "pipe", "ignore"],
  });
  let all = 0;
  let stale = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    all += 1;
    stale += line === "true" ? 1 : 0;
  }
  return { all, stale };
}
