// What is checked of our Go programs. `npm test -- check` asks for the formatting, which takes no time; `go vet` compiles
// all that the programs are built from, so it is a command of its own: `npm run vet`, best once the tools are built.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { findGo, type Go, missingGo } from "../../local/toolchain/go.ts";
import { goEnvironment, moduleBuildFlags, sourceFolder, toolModules } from "../../local/toolchain/tools.ts";

const folder = resolve(import.meta.dirname, "../../local/tools");

function ourGo(): Go {
  const go = findGo(join(folder, "kwok"));
  if (go === undefined) {
    throw missingGo("the check of our Go programs needs it");
  }
  return go;
}

/** What a command printed, without what Go says of its downloads. */
function output(executable: string, commandArguments: readonly string[], directory: string): string {
  const { stdout, stderr, error } = spawnSync(executable, commandArguments, {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, ...goEnvironment },
  });
  return error === undefined ? `${stdout}${stderr}`.replaceAll(/^go: downloading .*\n/gm, "").trim() : String(error);
}

function report(command: string, problems: string): boolean {
  console.log(`${problems === "" ? "✔" : "✖"} ${command}${problems === "" ? "" : `\n${problems}`}`);
  return problems === "";
}

/** Whether gofmt would change nothing; it names the files that it would change. */
export function gofmt(): boolean {
  const go = ourGo();
  const program = join(output(go.executable, ["env", "GOROOT"], folder), "bin", "gofmt");
  return report("gofmt -l", output(program, ["-l", ...globSync("**/*.go", { cwd: folder }).sort()], folder));
}

/** Whether go vet finds nothing in the packages of ours that the tools are built from. */
export function vet(): boolean {
  const go = ourGo();
  const results = toolModules
    // Their packages have no logic, and files of another module beside them when they are built.
    .filter(({ name }) => name !== "engine" && name !== "monitoring")
    .flatMap((module) => {
      const packages = module.tools
        .map((tool) => tool.package)
        .filter((path) => path.startsWith(".") || path === "github.com/cert-manager/cert-manager/cmd/admission");
      const run = () => output(go.executable, ["vet", ...moduleBuildFlags(module), ...packages], sourceFolder(module));
      return packages.length === 0 ? [] : [report(`go vet ${packages.join(" ")}`, run())];
    });
  return results.every(Boolean);
}

if (import.meta.main) {
  process.exitCode = vet() ? 0 : 1;
}
