import { allConfig, setAllConfig } from "@pulumi/pulumi/runtime/index.js";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideCharts } from "../../local/charts.ts";
import { chartsFolder, openEngine, type Engine, type EngineRun } from "../../local/engine.ts";
import { removeHostCluster, startHostCluster, type HostCluster } from "../../local/host-cluster.ts";
import { RealWorkloads } from "../../local/real-workloads.ts";
import { generatedSecrets } from "../../local/stack-files.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import program from "../../infra/index.ts";
import { stacks } from "../../stacks/index.ts";

/** Keys of a stack file, with their namespace. */
export type Config = Readonly<Record<string, unknown>>;

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

  /**
   * The engine over the checkout's stack file.
   *
   * @param config Keys that replace those of the file.
   * @param secrets Secrets that replace those of the local run.
   */
  engine(config: Config, secrets: Readonly<Record<string, string>> = {}): Promise<Engine> {
    return openEngine({
      cluster: this.cluster,
      config,
      program: async () => {
        if (Object.keys(secrets).length > 0) {
          setAllConfig({ ...allConfig(), ...secrets }, [...generatedSecrets]);
        }
        return { ...(await program()) };
      },
    });
  }

  /** `pulumi up`, with the real K3k controller and cert-manager's real webhook beside it. */
  async up(config: Config = {}): Promise<EngineRun> {
    const engine = await this.engine(config);
    return this.#workloads.during(() => engine.up());
  }

  async preview(config: Config = {}, secrets: Readonly<Record<string, string>> = {}): Promise<EngineRun> {
    return (await this.engine(config, secrets)).preview();
  }

  /** Stops what runs and removes the folder. */
  async remove(): Promise<void> {
    this.cluster.api.close();
    await removeHostCluster(this.cluster.directory);
  }
}

/** Starts the embedded cluster of a stack in a folder of its own, with the tools of the shared cache. */
export function embedded(name: string): Promise<Embedded> {
  return embeddedIn(name, join(mkdtempSync(join(tmpdir(), "kraft-test-")), name));
}

/** Starts the embedded cluster of a stack in a folder, or joins the one that runs there. */
export async function embeddedIn(name: string, directory: string): Promise<Embedded> {
  const stack = stacks.get(name);
  if (stack === undefined) {
    throw new Error(`no stack ${name}`);
  }
  const reporter = terminalReporter();
  const tools = await readyTools(reporter);
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
