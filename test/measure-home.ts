// Measures what Kraft promises of the embedded stack `local` on real machines, the second part of:
//
//   npm run measure
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readStackYaml, record, stackFilePath } from "../infra/config/pulumi-files.ts";
import { bringUp } from "../local/bring-up.ts";
import { cacheDirectory } from "../local/cache.ts";
import { removeHostCluster } from "../local/host-cluster.ts";
import { type Measurement, PeakMemory, report } from "./measurement.ts";

process.env["NODE_COMPILE_CACHE"] ??= join(cacheDirectory(), "compiled");

const directory = join(mkdtempSync(join(tmpdir(), "kraft-measure-")), "local");
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
} finally {
  memory.stop();
  await removeHostCluster(directory);
}
report(rows);
