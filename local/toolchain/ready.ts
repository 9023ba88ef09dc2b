import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { coerce, satisfies } from "semver";
import { Failure } from "../../errors/failure.ts";
import { cacheDirectory, hashFiles } from "../cache.ts";
import { announceWait, withLock } from "../lock.ts";
import type { Reporter } from "../terminal.ts";
import { build } from "./build.ts";
import { findGo, type Go, missingGo } from "./go.ts";
import {
  goEnvironment,
  type Match,
  moduleBuildFlags,
  sourceFolder,
  type Tool,
  type ToolModule,
  toolModules,
  toolSources,
} from "./tools.ts";

export interface ReadyTool {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** Whether the machine already had it, or Kraft built it. */
  readonly from: "machine" | "built";
}

export type Tools = ReadonlyMap<string, ReadyTool>;

/** A tool that `readyTools` has made ready. */
export function readyTool(tools: Tools, name: string): ReadyTool {
  const tool = tools.get(name);
  if (tool === undefined) {
    throw new Failure(`No tool named ${name} in local/toolchain/tools.ts.`);
  }
  return tool;
}

export function toolPath(tools: Tools, name: string): string {
  return readyTool(tools, name).path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether a tool that the machine already has can stand in for the version that Kraft was tested with. */
export function versionFits(found: string, wanted: string, match: Match): boolean {
  const version = /\d+\.\d+/.test(found) ? coerce(found) : null;
  const tested = coerce(wanted);
  if (version === null || tested === null) {
    return false;
  }
  return satisfies(version, match === "sameMinor" ? `${tested.major}.${tested.minor}.x` : `^${tested.version}`);
}

/** A tool that the machine already has, in a version that fits. */
function findInstalled(tool: Tool): ReadyTool | undefined {
  const { installed } = tool;
  if (installed === undefined) {
    return undefined;
  }
  if (installed === "plugin") {
    // A provider does not print its version, but its folder has it.
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const path = join(home, "plugins", `${tool.name.slice("pulumi-".length)}-v${tool.version}`, tool.name);
    return isExecutable(path) ? { name: tool.name, version: tool.version, path, from: "machine" } : undefined;
  }
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const path of folders.map((folder) => join(folder, tool.name)).filter(isExecutable)) {
    const result = spawnSync(path, installed.arguments, { encoding: "utf8", timeout: 20_000 });
    const version = installed.pattern.exec(`${result.stdout}${result.stderr}`)?.[1];
    if (version !== undefined && versionFits(version, tool.version, installed.match)) {
      return { name: tool.name, version, path, from: "machine" };
    }
  }
  return undefined;
}

/** Identifies what a build depends on, apart from Go's own version. */
function fingerprint(module: ToolModule, source: string): string {
  const hash = createHash("sha256");
  // What only others are built of is left out, so that a change of it does not build these again.
  const others = toolModules.filter((other) => other !== module && sourceFolder(other) === source);
  const ofOthers = others.flatMap(({ tools }) => tools.map((tool) => join(source, tool.package)));
  const own = module.tools.map((tool) => join(source, tool.package));
  hashFiles(hash, source, { except: ofOthers.filter((folder) => !own.includes(folder)) });
  const packages = module.tools.map((tool) => tool.package);
  hash.update(JSON.stringify([moduleBuildFlags(module), goEnvironment["CGO_ENABLED"], module.linkerFlags, packages]));
  if (module.completed !== undefined) {
    hash.update(JSON.stringify(module.completed));
  }
  hash.update(`${process.platform}-${process.arch}`);
  return hash.digest("hex").slice(0, 16);
}

/** The cache folder of a module's programs; without Go, one that any version of Go filled. */
function cacheFolder(module: ToolModule, source: string, go: Go | undefined): string | undefined {
  const parent = join(cacheDirectory(), "tools");
  const prefix = `${module.name}-${fingerprint(module, source)}-`;
  if (go !== undefined) {
    return join(parent, prefix + go.version);
  }
  const found = existsSync(parent) ? readdirSync(parent).find((name) => name.startsWith(prefix)) : undefined;
  return found === undefined ? undefined : join(parent, found);
}

/** What any platform is run with. */
const everywhere: readonly ToolModule["name"][] = ["engine", "cluster", "storage"];

/** What a platform on simulated nodes is run and tested with: not the tools that only check files. */
const platformModules: readonly ToolModule["name"][] = [...everywhere, "kwok"];

/**
 * What a platform on real machines is run with, the programs in its pods included, but for {@link entryModules} and
 * {@link monitoringModules}.
 */
export const realModules: readonly ToolModule["name"][] = [
  ...everywhere,
  "home",
  "nodes",
  "volumes",
  "traefik",
  "cert-manager",
  "pods",
  "kube-router",
  "coredns",
  "pebble",
];

/** What runs in pods only where a stack file gives the entrypoint an address of its own. */
export const entryModules: readonly ToolModule["name"][] = ["metallb"];

/** What runs in pods only where a stack file says where alerts go. */
export const monitoringModules: readonly ToolModule["name"][] = ["monitoring", "kubectl"];

/** Of all these, what runs in pods only, under names of images that its projects publish. */
const publishedModules: readonly ToolModule["name"][] = [
  "traefik",
  "cert-manager",
  ...entryModules,
  ...monitoringModules,
];

/** What a run that takes published images builds of the modules of one that makes them, and which programs it does not. */
export function withPublishedImages(modules: readonly ToolModule["name"][]): {
  readonly modules: readonly ToolModule["name"][];
  readonly unbuilt: readonly string[];
} {
  const left = modules.filter((name) => publishedModules.includes(name));
  return {
    modules: [...modules.filter((name) => !left.includes(name)), "images"],
    unbuilt: toolModules
      .filter(({ name }) => left.includes(name))
      .flatMap(({ tools }) => tools.map(({ name }) => name)),
  };
}

/**
 * Tools, ready to run: those that the machine has, else those in the cache that all checkouts share. What is missing
 * there is built now.
 *
 * @param modules The modules whose tools are wanted.
 */
export async function readyTools(
  reporter: Reporter,
  modules: readonly ToolModule["name"][] = platformModules,
): Promise<Tools> {
  const ready = new Map<string, ReadyTool>();
  // These modules need the newest Go.
  const go = findGo(join(toolSources, modules.includes("talos") ? "talos" : "kwok"));
  for (const module of toolModules.filter(({ name }) => modules.includes(name))) {
    const source = sourceFolder(module);
    const folder = cacheFolder(module, source, go);
    const missing = (): Tool[] =>
      module.tools.filter((tool) => {
        const found = findInstalled(tool) ?? findBuilt(tool, folder);
        if (found !== undefined) {
          ready.set(tool.name, found);
        }
        return found === undefined;
      });
    const toBuild = missing();
    if (toBuild.length === 0) {
      continue;
    }
    if (go === undefined || folder === undefined) {
      throw missingGo(`${toBuild.map((tool) => tool.name).join(", ")} must be built, which is done once`);
    }
    await withLock(
      `${folder}.lock`,
      announceWait(reporter, `is building ${module.name} for another checkout`),
      async () => {
        const stillToBuild = missing();
        if (stillToBuild.length > 0) {
          await build(go, module, stillToBuild, source, join(folder, "bin"), reporter);
          missing();
        }
      },
    );
  }
  return ready;
}

function findBuilt({ name, version }: Tool, folder = ""): ReadyTool | undefined {
  const path = join(folder, "bin", name);
  return folder !== "" && isExecutable(path) ? { name, version, path, from: "built" } : undefined;
}
