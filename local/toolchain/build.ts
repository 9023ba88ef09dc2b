import { Failure } from "../../errors/failure.ts";
import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  chmodSync,
} from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { duration, type Reporter } from "../terminal.ts";
import { downloadModules, type Go } from "./go.ts";
import { remainingSeconds } from "./progress.ts";
import { goBuildFlags, goEnvironment, type Tool, type ToolModule } from "./tools.ts";

/** `v4.0.0-…` of one module in a module's `go.mod`. */
function requiredVersion(go: Go, directory: string, module: string): string {
  const result = spawnSync(go.executable, ["list", "-m", "-f", "{{.Version}}", module], {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, ...goEnvironment },
  });
  if (result.status !== 0) {
    throw new Failure(`go list -m ${module} failed in ${directory}:\n${result.stderr.trim()}`);
  }
  return result.stdout.trim();
}

/** How many packages the programs consist of, and how many of them are not in Go's cache yet. */
async function countPackages(
  go: Go,
  directory: string,
  packages: readonly string[],
): Promise<{ readonly all: number; readonly stale: number }> {
  const child = spawn(go.executable, ["list", "-deps", ...goBuildFlags, "-f", "{{.Stale}}", ...packages], {
    cwd: directory,
    env: { ...process.env, ...goEnvironment },
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

/**
 * Builds tools of one module into `target`. Programs appear there whole or not at all; what Go compiled before an
 * interruption stays in its own cache, so that the next run goes on from there.
 */
export async function build(
  go: Go,
  module: ToolModule,
  tools: readonly Tool[],
  source: string,
  target: string,
  reporter: Reporter,
): Promise<void> {
  mkdirSync(target, { recursive: true });
  // What an interrupted build left: the caller holds the lock, so nobody else is at it.
  for (const name of readdirSync(join(target, "..")).filter((entry) => entry.startsWith("building-"))) {
    rmSync(join(target, "..", name), { recursive: true, force: true });
  }
  const work = mkdtempSync(join(target, "..", "building-"));
  try {
    // In a copy, because the build puts files beside ours and a checkout is not ours to write to.
    const directory = join(work, "source");
    cpSync(source, directory, { recursive: true });
    const started = Date.now();
    const elapsed = (): number => (Date.now() - started) / 1000;
    const names = tools.map((tool) => tool.name).join(", ");
    reporter.line(`building ${names} (once; about ${module.minutes} min on 2 cores with nothing compiled yet)`);
    reporter.progress(`${module.name}: downloading modules`);
    if (module.files !== undefined) {
      const version = requiredVersion(go, directory, module.files.module);
      const folder =
        downloadModules(go, directory, [`${module.files.module}@${version}`]).get(module.files.module) ?? "";
      for (const file of module.files.from) {
        const copy = join(directory, module.files.into, basename(file));
        copyFileSync(join(folder, file), copy);
        chmodSync(copy, 0o644);
      }
    }
    const flags = [...goBuildFlags, `-ldflags=-s -w ${module.linkerFlags.join(" ")}`];
    const packages = tools.map((tool) => tool.package);
    const { all, stale: total } = await countPackages(go, directory, packages);
    // Linking is about a tenth of a cold build, and never in the cache.
    const expectedSeconds = module.minutes * 60 * (0.1 + 0.9 * (total / Math.max(1, all)));
    const output = join(work, "bin");
    mkdirSync(output);
    const child = spawn(go.executable, ["build", "-v", ...flags, "-o", `${output}/`, ...packages], {
      cwd: directory,
      env: { ...process.env, ...goEnvironment },
      stdio: ["ignore", "ignore", "pipe"],
      // Its own group, so that an interruption stops the compilers it has started too.
      detached: true,
    });
    const stop = (): void => {
      if (child.pid !== undefined) {
        try {
          process.kill(-child.pid, "SIGTERM");
        } catch {
          // Already gone.
        }
      }
      rmSync(work, { recursive: true, force: true });
    };
    process.once("exit", stop);
    let compiled = 0;
    let downloaded = 0;
    const messages: string[] = [];
    const show = (): void => {
      const rest = remainingSeconds({ compiled, total, elapsedSeconds: elapsed(), expectedSeconds });
      const what =
        compiled === 0 && downloaded > 0
          ? `${downloaded} modules downloaded`
          : compiled < total
            ? `${compiled} of ${total} packages compiled`
            : "linking";
      reporter.progress(`${module.name}: ${what}, ${duration(elapsed())} so far, about ${duration(rest)} left`);
    };
    const timer = setInterval(show, 1000);
    const exited = new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        resolve(code ?? 1);
      });
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
        `go build of ${names} failed:\n${messages.slice(-30).join("\n")}\n` +
          "Where a download failed, check the network and run the command again: it goes on where it stopped.",
      );
    }
    for (const tool of tools) {
      const built = join(output, tool.output ?? basename(tool.package));
      if (!existsSync(built)) {
        throw new Failure(
          `go build ended well but made no ${basename(built)}; this is a mistake in local/toolchain/tools.ts.`,
        );
      }
      renameSync(built, join(target, tool.name));
    }
    reporter.line(`built ${names} in ${duration(elapsed())}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
