import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideCharts } from "../../local/charts.ts";
import { chartsFolder, openEngine, type Engine, type EngineRun } from "../../local/engine.ts";
import { removeHostCluster, startHostCluster, type HostCluster } from "../../local/host-cluster.ts";
import { RealWorkloads } from "../../local/real-workloads.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import { stacks } from "../../stacks/index.ts";

/** The tenants of a stack file. */
export type Tenants = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A stack's embedded cluster in a folder of its own, which goes with the test. */
export class Embedded {
  readonly cluster: HostCluster;
  readonly #workloads: RealWorkloads;

  constructor(cluster: HostCluster) {
    this.cluster = cluster;
    this.#workloads = new RealWorkloads(cluster);
  }

  /** The engine over the checkout's stack file, with some of its keys replaced. */
  engine(config: Readonly<Record<string, unknown>> = {}): Promise<Engine> {
    return openEngine({ cluster: this.cluster, config });
  }

  /** `pulumi up`, with the real K3k controller and cert-manager's real webhook beside it. */
  async up(config: Readonly<Record<string, unknown>> = {}): Promise<EngineRun> {
    const engine = await this.engine(config);
    return this.#workloads.during(() => engine.up());
  }

  async preview(config: Readonly<Record<string, unknown>> = {}): Promise<EngineRun> {
    return (await this.engine(config)).preview();
  }

  /** Stops what runs and removes the folder. */
  async remove(): Promise<void> {
    this.cluster.api.close();
    await removeHostCluster(this.cluster.directory);
  }
}

/** Starts the embedded cluster of a stack, with the tools of the shared cache. */
export async function embedded(name: string): Promise<Embedded> {
  const stack = stacks.get(name);
  if (stack === undefined) {
    throw new Error(`no stack ${name}`);
  }
  const reporter = terminalReporter();
  const tools = await readyTools(reporter);
  const directory = join(mkdtempSync(join(tmpdir(), "kraft-test-")), name);
  const cluster = await startHostCluster({ stack, directory, tools, reporter });
  await provideCharts(chartsFolder(directory), undefined, reporter);
  return new Embedded(cluster);
}

/** Waits until a condition holds that controllers bring about in their own time. */
export async function eventually<Value>(
  what: string,
  find: () => Promise<Value | undefined>,
  timeoutSeconds = 60,
): Promise<Value> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const value = await find();
    if (value !== undefined) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutSeconds} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
