import type { Stack } from "../stacks/index.ts";
import { type ChartFile, declaredCharts, provideCharts } from "./charts.ts";
import type { EngineRun } from "./engine-run.ts";
import { provideHome } from "./home/material.ts";
import { HomePlatform, type SampleSite } from "./home/platform.ts";
import { type HostCluster, startHostCluster } from "./host-cluster.ts";
import { RealWorkloads } from "./real-workloads.ts";
import type { Reporter } from "./terminal.ts";
import { readyTools, realModules } from "./toolchain/ready.ts";

/** What is to be brought up. */
export interface UpOrder {
  readonly stack: Stack;
  /** Everything of the cluster goes into this folder. */
  readonly directory: string;
  /** A folder with charts of the user's own, which win over those that can be had. */
  readonly charts?: string | undefined;
  /** Whether nodes are simulated. Otherwise pods run on the machines of a home. */
  readonly simulated: boolean;
  readonly reporter: Reporter;
  /** Ends the engine early: it finishes what it is at, and writes its state. */
  readonly interruption?: AbortSignal;
  /** Told when the engine begins, and when it has ended. */
  readonly engineRuns?: (runs: boolean) => void;
}

/** A platform that is up. */
export interface Platform {
  /** Its `api` is to be closed by who asked for it. */
  readonly cluster: HostCluster;
  readonly charts: readonly ChartFile[];
  /** What the local run changed of what the stack declares. */
  readonly overrides: readonly string[];
  readonly run: EngineRun;
  /** How long each part took. */
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  /** A tenant's site that answers; undefined where nothing runs. */
  readonly site: SampleSite | undefined;
}

/** Measures how long each part of a run takes. */
class Phases {
  readonly taken: { name: string; seconds: number }[] = [];

  async run<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
    const started = Date.now();
    const result = await action();
    this.taken.push({ name, seconds: (Date.now() - started) / 1000 });
    return result;
  }
}

/**
 * Brings the platform of a stack up, or up to date: cluster, `pulumi up`, and, where machines are real, the guests and a
 * tenant's site. What of it runs already stays.
 *
 * @throws Failure with what does not come up, and where to look
 */
export async function bringUp(order: UpOrder): Promise<Platform> {
  const { stack, directory, simulated, reporter, engineRuns = () => undefined } = order;
  const phases = new Phases();
  const tools = await phases.run("tools", () => readyTools(reporter, simulated ? undefined : realModules));
  const home = simulated ? undefined : await phases.run("images", () => provideHome(tools, stack, reporter));
  const cluster = await phases.run("cluster", () => startHostCluster({ stack, directory, tools, home, reporter }));
  try {
    // Only here, because Pulumi's SDK takes a second to load and the other commands do without it.
    const { openEngine, chartsFolder } = await import("./engine.ts");
    const files = await phases.run("charts", () => provideCharts(chartsFolder(directory), order.charts, reporter));
    const engine = await phases.run("engine start", () => openEngine({ cluster, reporter }));
    const workloads = simulated ? new RealWorkloads(cluster) : new HomePlatform(cluster, engine.config);
    // What an earlier run declared must answer before this one compares anything with the cluster.
    await phases.run("workloads", () => workloads.prepare());
    engineRuns(true);
    const run = await phases.run("pulumi up", () => workloads.during(() => engine.up(order.interruption)));
    engineRuns(false);
    const report = (text: string): void => {
      reporter.progress(text);
    };
    await phases.run("guests", () => workloads.complete(report));
    const site =
      workloads instanceof HomePlatform ? await phases.run("site", () => workloads.showSampleSite(report)) : undefined;
    reporter.done();
    const charts = declaredCharts(files, engine.config);
    return { cluster, charts, overrides: engine.overrides, run, phases: phases.taken, site };
  } catch (error) {
    cluster.api.close();
    throw error;
  }
}
