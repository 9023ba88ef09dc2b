import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { writeFileWhole } from "./state.ts";
import { moduleFolder } from "./toolchain/go.ts";
import { toolModules } from "./toolchain/tools.ts";

/** kwok's own descriptions of what a kubelet does: pods run at once, nodes become ready and stay so. */
const stageFolders = ["pod/fast", "node/fast", "node/heartbeat-with-lease"];

/** kwok's configuration, from its Go module: read once, then from the cache. */
export function kwokConfiguration(): string {
  const version = toolModules.flatMap(({ tools }) => tools).find(({ name }) => name === "kwok")?.version ?? "";
  const cached = join(cacheDirectory(), `kwok-stages-v${version}.yaml`);
  if (!existsSync(cached)) {
    const folder = join(moduleFolder("kwok", "sigs.k8s.io/kwok"), "kustomize/stage");
    const documents = stageFolders.flatMap((name) =>
      readdirSync(join(folder, name))
        .filter((file) => file.endsWith(".yaml") && file !== "kustomization.yaml")
        .sort()
        .map((file) => readFileSync(join(folder, name, file), "utf8").trim()),
    );
    writeFileWhole(cached, `${documents.join("\n---\n")}\n`, 0o644);
  }
  return readFileSync(cached, "utf8");
}
