import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { allConfig, setAllConfig } from "@pulumi/pulumi/runtime/index.js";
import program from "../../infra/index.ts";
import { eventually as waitFor } from "../../local/api.ts";
import { provideCharts } from "../../local/charts.ts";
import { chartsFolder, type Engine, openEngine } from "../../local/engine.ts";
import type { EngineRun } from "../../local/engine-run.ts";
import { type HostCluster, startHostCluster } from "../../local/host-cluster.ts";
import { RealWorkloads } from "../../local/real-workloads.ts";
import { generatedSecrets } from "../../local/stack-files.ts";
import { terminalReporter } from "../../local/terminal.ts";
import { readyTools } from "../../local/toolchain/ready.ts";
import { stacks } from "../../stacks/index.ts";
import { removeCluster, removeIfAbandoned } from "./abandoned.ts";

/** Keys of a stack file, with their namespace. */
export type Config = Readonly<Record<string, unknown>>;

/** The tenants of a stack file. */
export type Tenants = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** By which `start` hands on the secrets. */
export const secretsVariable = "KRAFT_TEST_SECRETS";

/** By which `start` hands on whether the run looks at the cluster first. */
export const refreshVariable = "KRAFT_TEST_REFRESH";

/** A stack's embedded cluster in a folder of its own, which goes with the test. */
export class Embedded {
  readonly cluster: HostCluster;
  /** Secrets beside those that a local run makes, or in their place, for every run from now on. */
  secrets: Readonly<Record<string, string>> = {};
  /** When runs in this process take place, if not now. The API server and everything else keep their time. */
  now: Date | undefined;
  /** Whether every run from now on looks at the cluster first, as Pulumi.yaml has it. */
  refresh = true;
  readonly #workloads: RealWorkloads;
  readonly #removed: () => void;

  /** @param removed called once `remove` is through */
  constructor(cluster: HostCluster, removed: () => void = () => undefined) {
    this.cluster = cluster;
    this.#removed = removed;
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
      secrets: this.secrets,
      refresh: this.refresh,
      program: async () => {
        if (Object.keys(secrets).length > 0) {
          setAllConfig({ ...allConfig(), ...secrets }, [...generatedSecrets]);
        }
        return { ...(await program(undefined, this.now)) };
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

  /**
   * The message of a run that must be refused, in a process of its own. Fails the test if it is not.
   *
   * @param program Name of a module in test/fixtures/programs, whose preview it is in place of this checkout's program.
   */
  async refusal(verb: "up" | "preview", config: Config, program?: string): Promise<string> {
    const child = this.start(verb, config, program);
    const output: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    }
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.equal(code, 1, `accepted: ${output.stdout}`);
    return output.stderr;
  }

  /** Starts a run in a process group of its own. */
  start(verb: "up" | "preview", config: Config = {}, program?: string): ChildProcessByStdio<null, Readable, Readable> {
    const { stack, directory } = this.cluster;
    const script = join(import.meta.dirname, "run.ts");
    const other =
      program === undefined ? [] : [join(import.meta.dirname, "..", "fixtures", "programs", `${program}.ts`)];
    return spawn(process.execPath, [script, stack.name, directory, verb, JSON.stringify(config), ...other], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        [secretsVariable]: JSON.stringify(this.secrets),
        [refreshVariable]: String(this.refresh),
      },
    });
  }

  /** Stops what runs and removes the folder that `embedded` made for it. */
  async remove(): Promise<void> {
    this.cluster.api.close();
    await removeCluster(this.cluster.directory);
    this.#removed();
  }
}

/**
 * Starts the embedded cluster of a stack, with the tools of the shared cache. It goes with `remove`, or with this process.
 *
 * @param directory whose parent folder is this cluster's alone. Default: a new one
 */
export async function embedded(name: string, directory = newDirectory(name)): Promise<Embedded> {
  const host = await started(name, directory);
  await provideCharts(chartsFolder(directory), undefined, terminalReporter());
  return host;
}

/** Where a new cluster may be, in a folder that is its alone. */
export function newDirectory(name: string): string {
  return join(mkdtempSync(join(tmpdir(), "kraft-test-")), name);
}

/** Starts the cluster of a folder that has its charts already. It goes with `remove`, or with this process. */
export async function started(name: string, directory: string): Promise<Embedded> {
  const removed = removeIfAbandoned(directory);
  return new Embedded(await hostCluster(name, directory), removed);
}

/** Joins the embedded cluster that another process has started. */
export async function joined(name: string, directory: string): Promise<Embedded> {
  return new Embedded(await hostCluster(name, directory));
}

async function hostCluster(name: string, directory: string): Promise<HostCluster> {
  const stack = stacks.get(name);
  if (stack === undefined) {
    throw new Error(`no stack ${name}`);
  }
  const reporter = terminalReporter();
  return startHostCluster({ stack, directory, tools: await readyTools(reporter), reporter });
}

/**
 * Waits until the quota of a tenant's objects counts certificates. Kubernetes looks for new kinds to count every half
 * minute, and lets none be created until it has found them.
 */
export async function certificatesAreCounted(host: HostCluster, tenant: string): Promise<void> {
  await eventually(`the quota on certificates of ${tenant}`, async () => {
    const quota = await host.api.get<{ readonly status?: { readonly used?: Readonly<Record<string, string>> } }>(
      `/api/v1/namespaces/k3k-${tenant}/resourcequotas/kraft-objects`,
    );
    return quota?.status?.used?.["count/certificates.cert-manager.io"];
  });
}

/** What `find` finds, once controllers have brought it about in their own time. Fails if they do not. */
export async function eventually<Value>(
  what: string,
  find: () => Promise<Value | undefined>,
  timeoutSeconds = 60,
): Promise<Value> {
  let value: Value | undefined;
  await waitFor(async () => {
    value = await find();
    return value !== undefined;
  }, timeoutSeconds);
  if (value === undefined) {
    throw new Error(`${what}: not within ${timeoutSeconds} s`);
  }
  return value;
}
