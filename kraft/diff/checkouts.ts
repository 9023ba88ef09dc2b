import { fork, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Failure, UsageError } from "../../errors/failure.ts";
import type { Rendering } from "./rendering.ts";

/** The folders and files of a checkout that its program consists of. */
const parts = ["cluster", "components", "errors", "infra", "stacks", "package.json", "Pulumi.yaml"];

const stackFile = /^Pulumi\..+\.yaml$/;

/** What is rendered: the folder of a program, and the folder of the stack files that it reads. */
export interface RenderSource {
  readonly program: string;
  readonly files: string;
}

/** Renders a stack in a process of its own. The program runs with our npm packages. */
export function render({ program, files }: RenderSource, stack: string): Promise<Rendering> {
  const child = fork(
    join(import.meta.dirname, "rendering-process.ts"),
    [program, stack, join(files, `Pulumi.${stack}.yaml`)],
    { execArgv: [], serialization: "advanced", stdio: ["ignore", "pipe", "pipe", "ipc"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  return new Promise((resolved, rejected) => {
    child.once("message", (rendering) => {
      resolved(rendering as Rendering);
    });
    child.once("error", rejected).once("close", () => {
      rejected(new Failure(`${program} cannot be rendered:\n${output.trim()}`));
    });
  });
}

/**
 * Copies the base of a comparison into a folder with our npm packages, and removes it when `use` is done. A base is a checkout,
 * a folder with stack files for our program, or anything that git calls a commit; a UsageError if it is none of them. Of a
 * branch that went on, the commit counts where ours began: what others did since is not a change of ours.
 */
export async function withBase<Result>(
  checkout: string,
  base: string,
  use: (source: RenderSource) => Promise<Result>,
): Promise<Result> {
  const folder = existsSync(base) && statSync(base).isDirectory() ? resolve(base) : undefined;
  if (folder !== undefined && !existsSync(join(folder, "infra", "index.ts"))) {
    if (!readdirSync(folder).some((name) => stackFile.test(name))) {
      throw new UsageError(
        `--base ${base}: it holds neither a program nor a stack file\n  allowed: a checkout, a folder with stack files, or a commit`,
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
  return top === "" || parts.includes(top) || stackFile.test(top);
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
  const unpacked = spawnSync("tar", ["-x", "-C", to], { input: archive.stdout });
  if (archive.status !== 0 || unpacked.status !== 0) {
    throw new Failure(`git archive ${commit} failed: ${archive.stderr.toString()}${unpacked.stderr.toString()}`.trim());
  }
}

function git(checkout: string, commandArguments: readonly string[]): string | undefined {
  const run = spawnSync("git", ["-C", checkout, ...commandArguments], { encoding: "utf8" });
  return run.status === 0 ? run.stdout.trim() : undefined;
}
