import { Failure, messageOf } from "../../errors/failure.ts";
import { spawnSync } from "node:child_process";
import { goEnvironment } from "./tools.ts";

export interface Go {
  readonly executable: string;
  /** As Go prints it, for example `go1.26.8`. */
  readonly version: string;
}

/** The oldest Go that builds all modules of `local/tools/`. */
const neededVersion = "1.26";

/** The Go of this machine; undefined where there is none. `directory` is the module that must be buildable with it. */
export function findGo(directory: string): Go | undefined {
  for (const executable of ["go", "/usr/local/go/bin/go"]) {
    const result = spawnSync(executable, ["env", "GOVERSION"], {
      cwd: directory,
      encoding: "utf8",
      env: { ...process.env, ...goEnvironment },
    });
    if (result.error === undefined && result.status === 0) {
      return { executable, version: result.stdout.trim() };
    }
    if (result.error === undefined) {
      throw new Failure(
        `Go is too old: ${result.stderr.trim()}\nInstall Go ${neededVersion} or newer from https://go.dev/dl and run the command again.`,
      );
    }
  }
  return undefined;
}

export function missingGo(what: string): Failure {
  return new Failure(
    `Go is missing, and ${what}.\nInstall Go ${neededVersion} or newer (https://go.dev/dl, or \`apt install golang-go\` where it is new enough) and run the command again.`,
  );
}

/**
 * Folders of modules in Go's module cache, downloaded if need be and verified against the `go.sum` in `directory`.
 *
 * @param modules as `path@version`
 */
export function downloadModules(go: Go, directory: string, modules: readonly string[]): ReadonlyMap<string, string> {
  const result = spawnSync(go.executable, ["mod", "download", "-json", ...modules], {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, ...goEnvironment },
    maxBuffer: 1 << 26,
  });
  if (result.error !== undefined) {
    throw new Failure(`go mod download cannot run: ${messageOf(result.error)}`);
  }
  const folders = new Map<string, string>();
  const problems: string[] = [];
  for (const text of result.stdout.split(/(?<=^})\n/m).filter((part) => part.trim() !== "")) {
    const module = JSON.parse(text) as { Path: string; Dir?: string; Error?: string };
    if (module.Dir === undefined) {
      problems.push(`${module.Path}: ${module.Error ?? "no folder"}`);
    } else {
      folders.set(module.Path, module.Dir);
    }
  }
  if (result.status !== 0 || problems.length > 0) {
    throw new Failure(
      `Go modules cannot be had:\n${problems.join("\n") || result.stderr.trim()}\n` +
        "Check the network and `go env GOPROXY`; what was already downloaded stays in Go's cache.",
    );
  }
  return folders;
}
