import { join } from "node:path";
import { downloadModules, findGo, missingGo } from "./toolchain/go.ts";
import { toolSources } from "./toolchain/ready.ts";

/** A Go module that carries files Kraft needs, and the folder of `local/tools/` whose `go.sum` vouches for it. */
export interface ModuleFiles {
  readonly path: string;
  readonly version: string;
  readonly pinnedIn: string;
}

export const kwokModule: ModuleFiles = { path: "sigs.k8s.io/kwok", version: "v0.8.0", pinnedIn: "kwok" };
export const certManagerModule: ModuleFiles = {
  path: "github.com/cert-manager/cert-manager",
  version: "v1.21.2",
  pinnedIn: "kwok",
};
export const k3kModule: ModuleFiles = { path: "github.com/rancher/k3k", version: "v1.1.0", pinnedIn: "cluster" };
export const traefikModule: ModuleFiles = {
  path: "github.com/traefik/traefik/v3",
  version: "v3.7.13",
  pinnedIn: "charts",
};
export const metallbModule: ModuleFiles = { path: "go.universe.tf/metallb", version: "v0.15.3", pinnedIn: "charts" };
// 1.12.1 is not on the module proxy; its CRDs are those of 1.12.0.
export const longhornModule: ModuleFiles = {
  path: "github.com/longhorn/longhorn-manager",
  version: "v1.12.0",
  pinnedIn: "charts",
};

/** The folder of a module's files, read-only. */
export function moduleFolder(module: ModuleFiles): string {
  const directory = join(toolSources, module.pinnedIn);
  const go = findGo(directory);
  if (go === undefined) {
    throw missingGo(`the files of ${module.path} must be downloaded, which is done once`);
  }
  const folder = downloadModules(go, directory, [`${module.path}@${module.version}`]).get(module.path);
  if (folder === undefined) {
    throw new Error(`go mod download named no folder for ${module.path}`);
  }
  return folder;
}
