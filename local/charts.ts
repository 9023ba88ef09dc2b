import { Failure } from "../errors/failure.ts";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { versions } from "../infra/versions.ts";
import { cacheDirectory } from "./cache.ts";
import { withLock } from "./lock.ts";
import {
  certManagerModule,
  k3kModule,
  longhornModule,
  metallbModule,
  type ModuleFiles,
  moduleFolder,
  traefikModule,
} from "./module-files.ts";
import type { Reporter } from "./terminal.ts";

/** The only version of K3k that can be built from its Go module, controller and chart. */
export const k3kVersion = "1.1.0";

const standIns = join(import.meta.dirname, "stand-ins");

interface LocalChart {
  readonly chart: string;
  readonly version: string;
  /** A stand-in of ours, or the project's own chart out of its Go module. */
  readonly kind: "real" | "standIn";
  readonly module: ModuleFiles;
  /** Fills the folder of the chart. */
  readonly fill: (folder: string, module: string) => void;
}

function copyFrom(subfolder: string): LocalChart["fill"] {
  return (folder, module) => {
    cpSync(join(module, subfolder), folder, { recursive: true });
  };
}

const charts: readonly LocalChart[] = [
  { chart: "k3k", version: k3kVersion, kind: "real", module: k3kModule, fill: copyFrom("charts/k3k") },
  {
    ...versions.certManager,
    kind: "real",
    module: certManagerModule,
    fill: copyFrom("deploy/charts/cert-manager"),
  },
  { ...versions.metallb, kind: "real", module: metallbModule, fill: copyFrom("charts/metallb") },
  {
    ...versions.traefik,
    kind: "standIn",
    module: traefikModule,
    fill(folder, module) {
      cpSync(join(standIns, "traefik"), folder, { recursive: true });
      mkdirSync(join(folder, "crds"));
      const source = join(module, "docs/content/reference/dynamic-configuration");
      for (const name of readdirSync(source).filter((file) => /^traefik\.io_\w+\.yaml$/.test(file))) {
        copyFileSync(join(source, name), join(folder, "crds", name));
      }
    },
  },
  {
    ...versions.longhorn,
    kind: "standIn",
    module: longhornModule,
    fill(folder, module) {
      cpSync(join(standIns, "longhorn"), folder, { recursive: true });
      // A template, as in the real chart: it includes `longhorn.labels`.
      copyFileSync(join(module, "k8s/crds.yaml"), join(folder, "templates", "crds.yaml"));
    },
  },
];

export interface ChartFile {
  readonly chart: string;
  readonly version: string;
  /** `given` charts came from the folder that the user named. */
  readonly kind: "real" | "standIn" | "given";
}

/** The charts that a stack file brings into its cluster: MetalLB's is only for an entrypoint with an address of its own. */
export function declaredCharts(
  files: readonly ChartFile[],
  config: Readonly<Record<string, unknown>>,
): readonly ChartFile[] {
  const network = config["kraft:network"] as { readonly entry?: unknown } | undefined;
  return network?.entry === undefined ? files.filter(({ chart }) => chart !== versions.metallb.chart) : files;
}

function fileName(chart: { readonly chart: string; readonly version: string }): string {
  return `${chart.chart}-${chart.version}.tgz`;
}

/** Chart.yaml with the version of the release, as a project's release tool writes it: in git there is another. */
export function withRelease(chartYaml: string, version: string): string {
  return chartYaml
    .replace(/^version:.*$/m, `version: ${version}`)
    .replace(/^appVersion:.*$/m, `appVersion: v${version.replace(/^v/, "")}`);
}

function makeWritable(folder: string): void {
  // Go's module cache is read-only, and copies keep that.
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      makeWritable(path);
    } else {
      chmodSync(path, 0o644);
    }
  }
}

function pack(parent: string, folder: string, target: string): void {
  // The same bytes from the same files, whoever packs them.
  const fixed = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  const result = spawnSync("tar", [...fixed, "-czf", target, "-C", parent, folder], { encoding: "utf8" });
  if (result.status !== 0) {
    throw new Failure(`tar cannot pack the chart ${folder}: ${(result.error?.message ?? result.stderr).trim()}`);
  }
}

function fingerprint(): string {
  const hash = createHash("sha256").update(readFileSync(import.meta.filename));
  for (const chart of charts) {
    hash.update(JSON.stringify([chart.chart, chart.version, chart.module]));
  }
  const files = readdirSync(standIns, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(path.slice(standIns.length)).update(readFileSync(path));
  }
  return hash.digest("hex").slice(0, 16);
}

/** The folder of the shared cache with all charts, packed now if they are not there yet. */
async function packedCharts(reporter: Reporter): Promise<string> {
  const cache = join(cacheDirectory(), "charts");
  const folder = join(cache, fingerprint());
  if (existsSync(folder)) {
    return folder;
  }
  await withLock(
    `${folder}.lock`,
    (pid) => {
      reporter.line(`process ${pid} is packing charts for another checkout; waiting for it`);
    },
    () => {
      if (existsSync(folder)) {
        return;
      }
      const work = mkdtempSync(join(cache, "packing-"));
      try {
        const packed = join(work, "packed");
        mkdirSync(packed);
        for (const chart of charts) {
          reporter.progress(`packing chart ${fileName(chart)}`);
          const content = join(work, chart.chart);
          chart.fill(content, moduleFolder(chart.module));
          makeWritable(content);
          const chartYaml = join(content, "Chart.yaml");
          writeFileSync(chartYaml, withRelease(readFileSync(chartYaml, "utf8"), chart.version));
          pack(work, chart.chart, join(packed, fileName(chart)));
        }
        renameSync(packed, folder);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    },
  );
  reporter.done();
  return folder;
}

/**
 * Checks the folder that the user named, before anything is started for it.
 *
 * @throws Failure if none of Kraft's charts is in it.
 */
export function checkGivenCharts(given: string | undefined): void {
  if (given === undefined) {
    return;
  }
  const wanted = charts.map(fileName);
  const found = existsSync(given) ? readdirSync(given) : undefined;
  if (found === undefined || !wanted.some((name) => found.includes(name))) {
    throw new Failure(
      `--charts ${given}: ${found === undefined ? "there is no such folder" : "none of Kraft's charts is in this folder"}.\n` +
        `It may hold any of: ${wanted.join(", ")}, as \`helm pull\` writes them.`,
    );
  }
}

/**
 * Fills `target` with all charts of the platform, named as `helm pull` names them.
 *
 * @param given a folder with real charts: each one in it takes the place of ours
 */
export async function provideCharts(
  target: string,
  given: string | undefined,
  reporter: Reporter,
): Promise<readonly ChartFile[]> {
  checkGivenCharts(given);
  const own = await packedCharts(reporter);
  const wanted = charts.map(fileName);
  mkdirSync(target, { recursive: true });
  for (const stray of readdirSync(target).filter((name) => !wanted.includes(name))) {
    rmSync(join(target, stray), { recursive: true });
  }
  return charts.map((chart) => {
    const file = fileName(chart);
    const replacement = given === undefined ? undefined : join(resolve(given), file);
    const use = replacement !== undefined && existsSync(replacement);
    copyFileSync(use ? replacement : join(own, file), join(target, file));
    return { chart: chart.chart, version: chart.version, kind: use ? "given" : chart.kind };
  });
}
