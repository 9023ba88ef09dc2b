// Measures what Kraft promises of the embedded stack `local` on real machines, the second part of:
//
//   npm run measure
//   npm run measure:cold      with every tool downloaded and built anew, in 15 GB of the temporary folder, which Ctrl-C leaves there
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readStackYaml, record, stackFilePath } from "../infra/config/pulumi-files.ts";
import { bringUp } from "../local/bring-up.ts";
import { cacheDirectory } from "../local/cache.ts";
import { removeHostCluster } from "../local/host-cluster.ts";
import { findGo, goOptions } from "../local/toolchain/go.ts";
import { toolSources } from "../local/toolchain/tools.ts";
import { type Measurement, PeakMemory, report } from "./measurement.ts";

const { cold } = parseArgs({ options: { cold: { type: "boolean", default: false } } }).values;
const folder = mkdtempSync(join(tmpdir(), "kraft-measure-"));
if (cold) {
  // What Kraft builds and what Go compiles, and what Go downloads.
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  process.env["GOPATH"] = join(folder, "go");
}
process.env["NODE_COMPILE_CACHE"] ??= join(cacheDirectory(), "compiled");

const directory = join(folder, "local");
const declared = readStackYaml(stackFilePath(join(import.meta.dirname, ".."), "local"))?.config?.["kraft:tenants"];
const memory = new PeakMemory(() => directory);
const rows: Measurement[] = [];

/** How long a run takes until every guest is Ready and the sample site answers. */
async function seconds(config: Readonly<Record<string, unknown>> = {}): Promise<number> {
  const start = performance.now();
  await bringUp({ stack: "local", directory, charts: undefined, simulated: false, config });
  return (performance.now() - start) / 1000;
}

try {
  if (cold) {
    rows.push(["real machines, tools included: from nothing to a site", await seconds(), "s", 1800]);
  } else {
    rows.push(
      ["real machines: from nothing to three guests Ready and a site", await seconds(), "s", 240],
      ["again, with nothing changed", await seconds(), "s", 30],
      [
        "one tenant more, until the guest is Ready",
        await seconds({ "kraft:tenants": { ...record(declared), dora: { domains: ["dora.example"], size: "small" } } }),
        "s",
        90,
      ],
      ["most memory at once: machines, pods, engine, program", memory.gibibytes, "GiB", 6],
    );
  }
} finally {
  memory.stop();
  await removeHostCluster(directory);
  if (cold) {
    // Go write-protects what it downloads.
    const module = join(toolSources, "home");
    spawnSync(findGo(module)?.executable ?? "go", ["clean", "-modcache"], goOptions(module));
  }
  rmSync(folder, { recursive: true });
}
report(rows);
