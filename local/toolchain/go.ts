import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Failure, messageOf } from "../../errors/failure.ts";
import { goEnvironment, toolSources } from "./tools.ts";

export interface Go {
  readonly executable: string;
  /** As Go prints it, for example `go1.26.8`. */
  readonly version: string;
}

/** The oldest Go that builds all modules of `local/tools/`. */
const neededVersion = "1.26";

/** How Go is run in the folder of a module. */
export function goOptions(directory: string): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
  return { cwd: directory, env: { ...process.env, ...goEnvironment } };
}

/** The Go of this machine; undefined where there is none. `directory` is the module that it must be able to build. */
export function findGo(directory: string): Go | undefined {
  for (const executable of ["go", "/usr/local/go/bin/go"]) {
    const result = spawnSync(executable, ["env", "GOVERSION"], { ...goOptions(directory), encoding: "utf8" });
    if (result.error !== undefined) {
      continue;
    }
    if (result.status !== 0) {
      throw new Failure(
        `Go is too old: ${result.stderr.trim()}\nInstall Go ${neededVersion} or newer from https://go.dev/dl and run the command again.`,
      );
    }
    return { executable, version: result.stdout.trim() };
  }
  return undefined;
}

export function missingGo(reason: string): Failure {
  return new Failure(
    `Go is missing, and ${reason}.\nInstall Go ${neededVersion} or newer (https://go.dev/dl, or \`apt install golang-go\` where it is new enough) and run the command again.`,
  );
}

/**
 * The folder of a Go module's files, read-only, in the version that one of our modules requires.
 *
 * @param folder The folder in `local/tools/` of the module of ours whose `go.mod` and `go.sum` pin it.
 * @param path The path of the Go module.
 */
export function moduleFolder(folder: string, path: string): string {
  const directory = join(toolSources, folder);
  const go = findGo(directory);
  if (go === undefined) {
    throw missingGo(`the files of ${path} must be downloaded, which is done once`);
  }
  const result = spawnSync(go.executable, ["mod", "download", "-json", path], {
    ...goOptions(directory),
    encoding: "utf8",
  });
  if (result.error !== undefined) {
    throw new Failure(`go mod download cannot run: ${messageOf(result.error)}`);
  }
  const { Dir, Error: problem } = JSON.parse(result.stdout.trim() || "{}") as { Dir?: string; Error?: string };
  if (result.status !== 0 || Dir === undefined) {
    throw new Failure(
      `The Go module ${path} cannot be downloaded:\n${problem ?? result.stderr.trim()}\n` +
        "Check the network and `go env GOPROXY`; what was already downloaded stays in Go's cache.",
    );
  }
  return Dir;
}
