import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
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
import { Failure } from "../errors/failure.ts";
import { record } from "../infra/config/pulumi-files.ts";
import { versions } from "../infra/versions.ts";
import { cacheDirectory, hashFiles } from "./cache.ts";
import { announceWait, withLock } from "./lock.ts";
import type { Reporter } from "./terminal.ts";
import { moduleFolder } from "./toolchain/go.ts";
import { toolSources } from "./toolchain/tools.ts";

/** The only version of K3k that can be built from its Go module, controller and chart. */
export const k3kVersion = "1.1.0";

const standIns = join(import.meta.dirname, "stand-ins");

export interface ChartFile {
  readonly chart: string;
  readonly version: string;
  /** `given`: from the folder that the user named. */
  readonly kind: "real" | "standIn" | "given";
}

interface LocalChart extends ChartFile {
  /** A stand-in of ours, or the project's own chart. */
  readonly kind: "real" | "standIn";
  /** The Go module that the chart or its CRDs come from, and the module of `local/tools/` that pins its version. */
  readonly module: string;
  readonly pinnedIn: "charts" | "cluster" | "kwok";
  /** What is copied from the module, and where in the chart it belongs. */
  readonly from: string;
  readonly into?: string;
  readonly filter?: (path: string) => boolean;
}

const charts: readonly LocalChart[] = [
  {
    chart: "k3k",
    version: k3kVersion,
    kind: "real",
    module: "github.com/rancher/k3k",
    pinnedIn: "cluster",
    from: "charts/k3k",
  },
  {
    ...versions.certManager,
    kind: "real",
    module: "github.com/cert-manager/cert-manager",
    pinnedIn: "kwok",
    from: "deploy/charts/cert-manager",
  },
  { ...versions.metallb, kind: "real", module: "go.universe.tf/metallb", pinnedIn: "charts", from: "charts/metallb" },
  {
    ...versions.traefik,
    kind: "standIn",
    module: "github.com/traefik/traefik/v3",
    pinnedIn: "charts",
    from: "docs/content/reference/dynamic-configuration",
    into: "crds",
    filter: (path) => /\/(dynamic-configuration|traefik\.io_\w+\.yaml)$/.test(path),
  },
  {
    ...versions.longhorn,
    kind: "standIn",
    // 1.12.1 is not on the module proxy. Its CRDs have two kinds and a few fields more, all for what Kraft does not use:
    // data engine 2, and clones that share their source's data.
    module: "github.com/longhorn/longhorn-manager",
    pinnedIn: "charts",
    // A template, as in the real chart: it includes `longhorn.labels`.
    from: "k8s/crds.yaml",
    into: "templates/crds.yaml",
  },
];

/** Whether a stack file gives the entrypoint an address of its own, which MetalLB keeps. */
export function declaresEntry(config: Readonly<Record<string, unknown>>): boolean {
  return record(config["kraft:network"])["entry"] !== undefined;
}

/** Whether a stack file says where alerts go: only then is the platform watched. */
export function declaresAlerts(config: Readonly<Record<string, unknown>>): boolean {
  return config["kraft:alerts"] !== undefined;
}

/** The charts that a stack file needs. */
export function declaredCharts(
  files: readonly ChartFile[],
  config: Readonly<Record<string, unknown>>,
): readonly ChartFile[] {
  return declaresEntry(config) ? files : files.filter(({ chart }) => chart !== versions.metallb.chart);
}

function fileName({ chart, version }: LocalChart): string {
  return `${chart}-${version}.tgz`;
}

/** Chart.yaml with the version of the release, as a project's release tool writes it: git has a development version. */
export function withRelease(chartYaml: string, version: string): string {
  return chartYaml
    .replace(/^version:.*$/m, `version: ${version}`)
    .replace(/^appVersion:.*$/m, `appVersion: v${version.replace(/^v/, "")}`);
}

/** Fills a folder with the content of a chart. */
function fill(folder: string, { chart, version, kind, module, pinnedIn, from, into = "", filter }: LocalChart): void {
  if (kind === "standIn") {
    cpSync(join(standIns, chart), folder, { recursive: true });
  }
  cpSync(join(moduleFolder(pinnedIn, module), from), join(folder, into), { recursive: true, filter });
  // Go's module cache is read-only, and copies keep that.
  run("chmod", ["-R", "u+w", folder]);
  const chartYaml = join(folder, "Chart.yaml");
  writeFileSync(chartYaml, withRelease(readFileSync(chartYaml, "utf8"), version));
}

/** The same files give the same bytes, whoever packs them. */
const reproducible = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];

function run(program: string, programArguments: readonly string[]): void {
  const result = spawnSync(program, programArguments, { encoding: "utf8" });
  if (result.status !== 0) {
    const problem = (result.error?.message ?? result.stderr).trim();
    throw new Failure(`A chart cannot be packed: ${program} ${programArguments.join(" ")}: ${problem}`);
  }
}

/** Identifies what the packed charts depend on. */
function fingerprint(): string {
  const hash = createHash("sha256")
    .update(readFileSync(import.meta.filename))
    .update(JSON.stringify(charts));
  for (const module of new Set(charts.map(({ pinnedIn }) => pinnedIn))) {
    hash.update(readFileSync(join(toolSources, module, "go.mod")));
  }
  hashFiles(hash, standIns);
  return hash.digest("hex").slice(0, 16);
}

/** The folder of the shared cache with all charts, packed now if they are not there yet. */
async function packedCharts(reporter: Reporter): Promise<string> {
  const cache = join(cacheDirectory(), "charts");
  const folder = join(cache, fingerprint());
  if (existsSync(folder)) {
    return folder;
  }
  await withLock(`${folder}.lock`, announceWait(reporter, "is packing charts for another checkout"), () => {
    if (existsSync(folder)) {
      return;
    }
    const work = mkdtempSync(join(cache, "packing-"));
    try {
      const packed = join(work, "packed");
      mkdirSync(packed);
      for (const chart of charts) {
        reporter.progress(`packing chart ${fileName(chart)}`);
        fill(join(work, chart.chart), chart);
        run("tar", [...reproducible, "-czf", join(packed, fileName(chart)), "-C", work, chart.chart]);
      }
      renameSync(packed, folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
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
