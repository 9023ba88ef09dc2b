import { Failure } from "../../errors/failure.ts";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { cacheDirectory } from "../cache.ts";
import { withLock } from "../lock.ts";
import type { Reporter } from "../terminal.ts";
import { build } from "./build.ts";
import { findGo, type Go, missingGo } from "./go.ts";
import { goBuildFlags, goEnvironment, type Tool, type ToolModule, toolModules } from "./tools.ts";
import { versionFits } from "./version.ts";

/** Folder of the checkout with one Go module per folder. */
export const toolSources = join(import.meta.dirname, "..", "tools");

export interface ReadyTool {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** Whether the machine already had it, or Kraft built it. */
  readonly from: "machine" | "built";
}

export type Tools = ReadonlyMap<string, ReadyTool>;

/** The path of a tool that `readyTools` has made ready. */
export function toolPath(tools: Tools, name: string): string {
  const tool = tools.get(name);
  if (tool === undefined) {
    throw new Failure(`No tool named ${name} in local/toolchain/tools.ts.`);
  }
  return tool.path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Files of this name on PATH, in its order. */
function onPath(name: string): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).filter(isExecutable);
}

/** One that the machine has, in a version that does. */
function findInstalled(tool: Tool): ReadyTool | undefined {
  const { installed } = tool;
  if (installed === undefined) {
    return undefined;
  }
  if (installed === "plugin") {
    // A provider does not say its version, but Pulumi's plugin folder does.
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const path = join(home, "plugins", `${tool.name.slice("pulumi-".length)}-v${tool.version}`, tool.name);
    return isExecutable(path) ? { name: tool.name, version: tool.version, path, from: "machine" } : undefined;
  }
  for (const path of onPath(tool.name)) {
    const result = spawnSync(path, installed.arguments, { encoding: "utf8", timeout: 20_000 });
    const version = installed.pattern.exec(`${result.stdout}${result.stderr}`)?.[1];
    if (version !== undefined && versionFits(version, tool.version, installed.match)) {
      return { name: tool.name, version, path, from: "machine" };
    }
  }
  return undefined;
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Names what a build depends on, apart from Go's own version. */
function fingerprint(module: ToolModule, source: string): string {
  const hash = createHash("sha256");
  for (const file of filesBelow(source)) {
    hash
      .update(`${file.slice(source.length)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  hash.update(
    JSON.stringify([
      goBuildFlags,
      goEnvironment["CGO_ENABLED"],
      module.linkerFlags,
      module.tools.map((tool) => tool.package),
    ]),
  );
  hash.update(`${process.platform}-${process.arch}`);
  return hash.digest("hex").slice(0, 16);
}

/** The cache folder of a module's programs. Without Go, whatever Go built the same before. */
function cacheFolder(module: ToolModule, source: string, go: Go | undefined): string | undefined {
  const parent = join(cacheDirectory(), "tools");
  const prefix = `${module.name}-${fingerprint(module, source)}-`;
  if (go !== undefined) {
    return join(parent, prefix + go.version);
  }
  const found = existsSync(parent) ? readdirSync(parent).find((name) => name.startsWith(prefix)) : undefined;
  return found === undefined ? undefined : join(parent, found);
}

/** What a platform is run and tested with: not the tools that only look at files. */
const platformModules: readonly ToolModule["name"][] = ["engine", "cluster", "kwok", "storage"];

/**
 * Tools, ready to run: one that the machine has, else one of the cache that all checkouts share, built now if it is not
 * there yet.
 *
 * @param modules Those whose tools are wanted.
 */
export async function readyTools(
  reporter: Reporter,
  modules: readonly ToolModule["name"][] = platformModules,
): Promise<Tools> {
  const tools = new Map<string, ReadyTool>();
  // The module with the highest demand on Go stands for all.
  const go = findGo(join(toolSources, modules.includes("talos") ? "talos" : "kwok"));
  for (const module of toolModules.filter(({ name }) => modules.includes(name))) {
    const source = join(toolSources, module.name);
    const folder = cacheFolder(module, source, go);
    const bin = folder === undefined ? undefined : join(folder, "bin");
    const missing: Tool[] = [];
    const settle = (): void => {
      missing.length = 0;
      for (const tool of module.tools) {
        const built = bin === undefined ? undefined : join(bin, tool.name);
        const ready: ReadyTool | undefined =
          findInstalled(tool) ??
          (built !== undefined && isExecutable(built)
            ? { name: tool.name, version: tool.version, path: built, from: "built" }
            : undefined);
        if (ready === undefined) {
          missing.push(tool);
        } else {
          tools.set(tool.name, ready);
        }
      }
    };
    settle();
    if (missing.length === 0) {
      continue;
    }
    if (go === undefined || folder === undefined || bin === undefined) {
      throw missingGo(`${missing.map((tool) => tool.name).join(", ")} must be built, which is done once`);
    }
    await withLock(
      `${folder}.lock`,
      (pid) => {
        reporter.line(`process ${pid} is building ${module.name} for another checkout; waiting for it`);
      },
      async () => {
        settle();
        if (missing.length > 0) {
          await build(go, module, [...missing], source, bin, reporter);
          settle();
        }
      },
    );
  }
  return tools;
}
