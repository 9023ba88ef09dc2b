import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import { describedStack } from "../infra/config/described-stack.ts";
import { rawConfig } from "../infra/config/parse.ts";
import { readStackYaml, stackFilePath } from "../infra/config/pulumi-files.ts";
import { type Stack, stacks } from "../stacks/index.ts";
import { cacheDirectory } from "./cache.ts";
import { checkGivenCharts, declaredCharts, declaresAlerts, declaresEntry, provideCharts } from "./charts.ts";
import { explainFullDisk } from "./full-disk.ts";
import { provideHome } from "./home/material.ts";
import { HomePlatform } from "./home/platform.ts";
import { chooseMachines, obstacle, surroundings } from "./home/possible.ts";
import { startHostCluster } from "./host-cluster.ts";
import { guestVersions } from "./images/images.ts";
import { chooseImages, type ImageSource } from "./images/source.ts";
import { whileInterruptible } from "./interruption.ts";
import { RealWorkloads } from "./real-workloads.ts";
import { type Machines, readState } from "./state.ts";
import { type Reporter, terminalReporter } from "./terminal.ts";
import { entryModules, monitoringModules, readyTools, realModules, withPublishedImages } from "./toolchain/ready.ts";
import type { ToolModule } from "./toolchain/tools.ts";

/** The folder with the stack files. */
const checkout = join(import.meta.dirname, "..");

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
 * What the nodes of this run are. Where they are simulated and nobody asked for it, a line says why.
 *
 * @param asked Whether the user asked for simulated ones.
 */
function machinesOf(stack: Stack, directory: string, asked: boolean, reporter: Reporter): Machines {
  const state = readState(directory);
  const earlier = state === undefined ? undefined : (state.machines ?? "simulated");
  const { machines, reason } = chooseMachines({
    stack: stack.name,
    asked,
    earlier,
    obstacle: () => obstacle(surroundings()),
  });
  if (reason !== undefined) {
    reporter.line(reason);
  }
  return machines;
}

/**
 * Where the images of this run come from. Where they are the published ones and nobody asked for them, a line says why.
 *
 * @throws Failure if they were asked for, and nodes are simulated.
 */
function imagesOf(
  directory: string,
  asked: ImageSource | undefined,
  machines: Machines,
  reporter: Reporter,
): ImageSource {
  if (asked !== undefined && machines === "simulated") {
    throw new Failure(`--images ${asked.kind}: nodes are simulated here, and run no images. Leave the option out.`);
  }
  const { source, reason } = chooseImages(asked, readState(directory)?.images);
  if (reason !== undefined) {
    reporter.line(reason);
  }
  return source;
}

/** The modules of a run on real machines, those of what the stack file declares beside the rest included. */
function modulesOfRealRun(config: Readonly<Record<string, unknown>>): readonly ToolModule["name"][] {
  return [
    ...realModules,
    ...(declaresEntry(config) ? entryModules : []),
    ...(declaresAlerts(config) ? monitoringModules : []),
  ];
}

/** What is asked of a run. */
interface Inputs {
  readonly stack: string;
  readonly directory: string;
  readonly charts: string | undefined;
  readonly simulated: boolean;
  readonly images?: ImageSource | undefined;
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Brings the platform of a stack up on an embedded cluster, or brings it up to date, and prints what there is then.
 *
 * @param directory The folder of the cluster.
 * @param charts A folder with charts of the user's own.
 * @param simulated Whether the user asked for simulated nodes.
 * @param images Where images are to come from. Default: what the cluster has, else built here.
 * @param config Keys that win over those of the stack file: for measurements.
 */
export async function bringUp(inputs: Inputs): Promise<void> {
  try {
    await run(inputs);
  } catch (error) {
    throw explainFullDisk(error, [inputs.directory, cacheDirectory()]);
  }
}

async function run(inputs: Inputs): Promise<void> {
  const { config, directory } = inputs;
  const known = stacks.get(inputs.stack);
  if (known === undefined) {
    throw new Failure(`There is no stack ${inputs.stack}.`);
  }
  const written = { ...readStackYaml(stackFilePath(checkout, known.name))?.config, ...config };
  const stack = describedStack(
    known,
    rawConfig(written, () => false),
  );
  const reporter = terminalReporter();
  const report = (text: string): void => {
    reporter.progress(text);
  };
  const phases = new Phases();
  checkGivenCharts(inputs.charts);
  const machines = machinesOf(stack, directory, inputs.simulated, reporter);
  const real = machines === "real";
  const source = imagesOf(directory, inputs.images, machines, reporter);
  const allModules = modulesOfRealRun(written);
  const { modules, unbuilt } =
    source.kind === "upstream" ? withPublishedImages(allModules) : { modules: allModules, unbuilt: [] };
  const tools = await phases.run("tools", () => readyTools(reporter, real ? modules : undefined));
  const versions = guestVersions(known.guestVersion);
  const home = real
    ? await phases.run("images", () => provideHome({ tools, unbuilt, guestVersions: versions, source, reporter }))
    : undefined;
  const cluster = await phases.run("cluster", () => startHostCluster({ stack, directory, tools, home, reporter }));
  try {
    // Only here, because Pulumi's SDK takes a second to load and the other commands do without it.
    const [{ openEngine, chartsFolder }, { summary }] = await Promise.all([
      import("./engine.ts"),
      import("./summary.ts"),
    ]);
    const files = await phases.run("charts", () => provideCharts(chartsFolder(directory), inputs.charts, reporter));
    const engine = await phases.run("engine start", () => openEngine({ cluster, config, reporter }));
    const platform = real ? new HomePlatform(cluster, engine.config) : undefined;
    const workloads = platform ?? new RealWorkloads(cluster);
    // What an earlier run declared must answer before this one compares anything with the cluster.
    await phases.run("workloads", () => workloads.prepare(report));
    const done = await phases.run("pulumi up", () =>
      whileInterruptible((signal) => workloads.during(() => engine.up(signal))),
    );
    await phases.run("guests", () => workloads.complete(report));
    const site = platform === undefined ? undefined : await phases.run("site", () => platform.showSampleSite(report));
    reporter.done();
    const lines = await summary({
      cluster,
      charts: declaredCharts(files, engine.config),
      overrides: engine.overrides,
      run: done,
      phases: phases.taken,
      site,
    });
    console.log(lines.join("\n"));
  } finally {
    cluster.api.close();
  }
}
