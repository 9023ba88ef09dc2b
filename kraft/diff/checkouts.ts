import { UsageError, Failure } from "../../errors/failure.ts";
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Rendering } from "./rendered.ts";

/** What the program of a checkout needs to be rendered. */
const parts = ["components", "infra", "stacks", "package.json"];

const stackFile = /^Pulumi\..+\.yaml$/;

/** What is rendered: a program, and the folder with the stack files that it is given. */
export interface Source {
  readonly program: string;
  readonly files: string;
}

/** Renders a stack in a process of its own. The program runs with our npm packages. */
export async function render({ program, files }: Source, stack: string): Promise<Rendering> {
  const work = mkdtempSync(join(tmpdir(), "kraft-render-"));
  try {
    const result = join(work, "result.json");
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "render.ts"), program, stack, join(files, `Pulumi.${stack}.yaml`), result],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    }
    await new Promise((resolved, rejected) => child.once("close", resolved).once("error", rejected));
    if (!existsSync(result)) {
      throw new Failure(`${program} cannot be rendered:\n${said.trim()}`);
    }
    const read = JSON.parse(readFileSync(result, "utf8")) as Omit<Rendering, "objects"> & {
      readonly objects: readonly (readonly [string, string])[];
    };
    return { ...read, objects: new Map(read.objects) };
  } finally {
    rmSync(work, { recursive: true });
  }
}

/**
 * Copies what a checkout is compared with into a folder, our npm packages beside it, and removes it when `use` is done.
 *
 * @param base A checkout, a folder with stack files for our program, or anything that git calls a commit. Of a branch
 *   that went on, the commit counts that ours began at: what others did since is no change of ours.
 * @throws UsageError if it is none of them.
 */
export async function withBase<Result>(
  checkout: string,
  base: string,
  use: (source: Source) => Promise<Result>,
): Promise<Result> {
  const folder = existsSync(base) && statSync(base).isDirectory() ? resolve(base) : undefined;
  if (folder !== undefined && !existsSync(join(folder, "infra", "index.ts"))) {
    if (!readdirSync(folder).some((name) => stackFile.test(name))) {
      throw new UsageError(
        `--base ${base}: neither a program nor a stack file is in it\n  allowed: a checkout, a folder with stack files, or a commit`,
      );
    }
    return use({ program: checkout, files: folder });
  }
  const work = mkdtempSync(join(tmpdir(), "kraft-base-"));
  try {
    if (folder === undefined) {
      extract(checkout, commitOf(checkout, base), work);
    } else {
      cpSync(folder, work, { recursive: true, filter: (source) => isPart(source.slice(folder.length + 1)) });
    }
    symlinkSync(join(import.meta.dirname, "..", "..", "node_modules"), join(work, "node_modules"));
    return await use({ program: work, files: work });
  } finally {
    rmSync(work, { recursive: true });
  }
}

function isPart(path: string): boolean {
  const [top = ""] = path.split("/");
  return top === "" || parts.includes(top) || top === "Pulumi.yaml" || stackFile.test(top);
}

function commitOf(checkout: string, base: string): string {
  const found = git(checkout, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${base}^{commit}`]);
  if (found === undefined) {
    throw new UsageError(`--base ${base}: there is no such folder, and git knows no such commit`);
  }
  return git(checkout, ["merge-base", "HEAD", found]) ?? found;
}

function extract(checkout: string, commit: string, to: string): void {
  const archive = spawnSync("git", ["-C", checkout, "archive", "--format=tar", commit], { maxBuffer: 2 ** 30 });
  mkdirSync(to, { recursive: true });
  const unpacked = spawnSync("tar", ["-x", "-C", to], { input: archive.stdout });
  if (archive.status !== 0 || unpacked.status !== 0) {
    throw new Failure(`git archive ${commit} failed: ${archive.stderr.toString()}${unpacked.stderr.toString()}`.trim());
  }
}

function git(checkout: string, commandArguments: readonly string[]): string | undefined {
  const run = spawnSync("git", ["-C", checkout, ...commandArguments], { encoding: "utf8" });
  return run.status === 0 ? run.stdout.trim() : undefined;
}
