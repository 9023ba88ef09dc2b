import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import * as automation from "@pulumi/pulumi/automation/index.js";
import { stringify } from "yaml";
import { Failure } from "../errors/failure.ts";
import { readPulumiFile, readStackYaml, stackFilePath } from "../infra/config/pulumi-files.ts";
import { configSchema } from "../infra/config/schema.ts";
import { eventually } from "./api.ts";
import { k3kVersion } from "./charts.ts";
import { secretFile } from "./control-plane.ts";
import { type EngineRun, Follower } from "./engine-run.ts";
import { nodeAddress, router } from "./home/addresses.ts";
import { acmeDirectory } from "./home/internet.ts";
import type { HostCluster } from "./host-cluster.ts";
import { announceWait, withLock } from "./lock.ts";
import { identify, lessGarbageCollection, readOrUndefined } from "./processes.ts";
import { ensureS3, keepS3Keys, newS3Keys, readS3Keys, s3Endpoint, s3Port } from "./s3.ts";
import { simulatedAddress, simulatedRouter } from "./simulated-nodes.ts";
import {
  type GeneratedSecret,
  localProjectFile,
  localStackFile,
  type NodeAddresses,
  type ProjectFile,
} from "./stack-files.ts";
import { writeFileWhole } from "./state.ts";
import { type Reporter, silentReporter } from "./terminal.ts";
import { readyTool, toolPath } from "./toolchain/ready.ts";

/** The real Pulumi engine with the program of this checkout, its state, and the embedded cluster. */
export interface Engine {
  /** What the local run changed of what the stack declares. */
  readonly overrides: readonly string[];
  /** What the stack file of this run says, by key, for example `kraft:network`. Secrets in it are encrypted. */
  readonly config: Readonly<Record<string, unknown>>;
  /** @param interruption makes the engine finish what it is at, write its state, and fail */
  up(interruption?: AbortSignal): Promise<EngineRun>;
  preview(): Promise<EngineRun>;
}

export type Program = () => Promise<Record<string, unknown>>;

interface EngineOptions {
  readonly cluster: HostCluster;
  /** Values that win over those of the stack file, by key, for example `kraft:tenants`. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** Secrets beside those that a local run makes, or in their place, by key; encrypted into the stack file of the run. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Default: the program of this checkout. */
  readonly program?: Program;
  /**
   * Whether a run looks at the cluster before anything else, as Pulumi.yaml has it.
   *
   * @default true
   */
  readonly refresh?: boolean;
  readonly reporter?: Reporter;
  /** Sees every event of every run as it comes: the whole of what Pulumi knows about a change. */
  readonly onEvent?: (event: automation.EngineEvent) => void;
}

/** The folder with Pulumi.yaml and the stack files, which are only read. */
const checkout = join(import.meta.dirname, "..");

/** Where charts lie, relative to the folder that holds Pulumi.yaml. */
const chartsPath = "./charts";

export function engineFolder(directory: string): string {
  return join(directory, "pulumi");
}

export function chartsFolder(directory: string): string {
  return join(engineFolder(directory), chartsPath);
}

async function checkoutProgram(): Promise<Program> {
  const module = (await import("../infra/index.ts")) as { readonly default: () => Promise<object> };
  return async () => ({ ...(await module.default()) });
}

/**
 * Takes away the lock that an interrupted run left in the state: Pulumi's own locks outlive their process. A run that
 * still goes on is waited for.
 */
async function releaseStaleLocks(
  stateFolder: string,
  project: string,
  stack: string,
  reporter: Reporter,
): Promise<void> {
  const folder = join(stateFolder, ".pulumi", "locks", "organization", project, stack);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    const { pid } = JSON.parse(readFileSync(path, "utf8")) as { readonly pid: number };
    // Without its program, an interrupted engine notices within seconds that it is alone.
    const ended = await eventually(() => {
      reporter.progress(`waiting for an interrupted run to end (process ${pid})`);
      return Promise.resolve(!existsSync(path) || !isPulumi(pid));
    }, 60);
    if (!ended) {
      throw new Failure(
        `Another pulumi works on this state: process ${pid}. Wait for it, or end it, and run the command again.`,
      );
    }
    rmSync(path, { force: true });
  }
}

function isPulumi(pid: number): boolean {
  return identify(pid) !== undefined && readOrUndefined(`/proc/${pid}/cmdline`)?.includes("pulumi") === true;
}

/** The kubeconfig in a state file, which is the Kubernetes provider's; undefined where there is none. */
function recordedKubeconfig(stateFile: string): string | undefined {
  // Found as text: the file has megabytes.
  return existsSync(stateFile) ? /"kubeconfig": ?"([^"]+)"/.exec(readFileSync(stateFile, "utf8"))?.[1] : undefined;
}

/** What the stack file says of the nodes, on machines of a home and on simulated ones. */
function addressesOf({ machines, stack }: HostCluster): NodeAddresses {
  return machines === "real"
    ? { node: (name) => nodeAddress(stack, name), router: router.address }
    : { node: (name) => simulatedAddress(stack, name), router: simulatedRouter };
}

/** Makes the engine ready for a cluster: writes its project and stack file, and its secrets at the first run. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { cluster } = options;
  const { stack, directory, tools } = cluster;
  const reporter = options.reporter ?? silentReporter;
  const workDir = engineFolder(directory);
  const stateFolder = join(workDir, "state");
  mkdirSync(stateFolder, { recursive: true });

  const project = readPulumiFile(join(checkout, "Pulumi.yaml")) as ProjectFile | undefined;
  const declared = readStackYaml(stackFilePath(checkout, stack.name));
  if (project === undefined || declared === undefined) {
    throw new Failure(`${checkout} lacks ${project === undefined ? "Pulumi.yaml" : `Pulumi.${stack.name}.yaml`}.`);
  }
  const provider = readyTool(tools, "pulumi-resource-kubernetes");
  /** @param refresh whether the next run looks at the cluster first */
  const writeProject = (refresh: boolean): void => {
    const file = refresh ? project : { ...project, options: {} };
    const plugin = { folder: dirname(provider.path), version: provider.version };
    writeFileWhole(join(workDir, "Pulumi.yaml"), stringify(localProjectFile(file, plugin)));
  };
  const stateFile = join(stateFolder, ".pulumi", "stacks", project.name, `${stack.name}.json`);
  // A look at the cluster is by the kubeconfig that the last run had, which is not there any more in a folder that was moved.
  const looks = (): boolean =>
    (options.refresh ?? true) && [undefined, cluster.kubeconfig].includes(recordedKubeconfig(stateFile));
  writeProject(looks());
  const ownStackFile = stackFilePath(workDir, stack.name);
  const knownKeys = readS3Keys(directory);
  const keys = knownKeys ?? newS3Keys();
  const derived = localStackFile({
    stack,
    checkout: declared,
    previous: readStackYaml(ownStackFile),
    cluster: { kubeconfig: cluster.kubeconfig, context: cluster.context, uid: cluster.uid },
    addresses: addressesOf(cluster),
    ...(cluster.machines === "real" ? { acmeDirectory } : {}),
    charts: chartsPath,
    k3kVersion,
    s3: { endpoint: s3Endpoint(s3Port(cluster)), keysAreNew: knownKeys === undefined },
    overrides: options.config,
  });
  writeFileWhole(ownStackFile, stringify(derived.file));

  const passphrase = secretFile(join(directory, "credentials", "pulumi-passphrase"), () =>
    randomBytes(24).toString("base64url"),
  );
  // The provider leaves a copy of the kubeconfig in the folder of temporary files (`writeKubeconfigToFile` in
  // pkg/provider/util.go of pulumi-kubernetes 4.25): here it goes with the run.
  const temporary = join(workDir, "temporary", String(process.pid));
  mkdirSync(temporary, { recursive: true });
  // The Automation API takes a CLI by the folder above its `bin`.
  const cliRoot = join(workDir, "cli");
  const cliLink = join(cliRoot, "bin", "pulumi");
  mkdirSync(dirname(cliLink), { recursive: true });
  rmSync(cliLink, { force: true });
  symlinkSync(toolPath(tools, "pulumi"), cliLink);
  const opened = await automation.LocalWorkspace.createOrSelectStack(
    { stackName: stack.name, projectName: project.name, program: options.program ?? (await checkoutProgram()) },
    {
      workDir,
      // The engine's own folder, so that neither the user's logins nor their plugins take part.
      pulumiHome: join(workDir, "home"),
      pulumiCommand: await automation.PulumiCommand.get({ root: cliRoot }),
      envVars: {
        PULUMI_BACKEND_URL: `file://${stateFolder}`,
        PULUMI_CONFIG_PASSPHRASE: passphrase,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
        // Writes the state once, at the end, and not twice for each resource: with all CRDs in it that is three quarters
        // of the time. A run that is killed loses its record: the next one adopts what it finds.
        PULUMI_SKIP_CHECKPOINTS: process.env["PULUMI_SKIP_CHECKPOINTS"] ?? "true",
        ...lessGarbageCollection,
        KUBECONFIG: cluster.kubeconfig,
        TMPDIR: temporary,
      },
    },
  );
  // After every `up` the Automation API would read the whole state three times, for what nobody uses here.
  opened.outputs = () => Promise.resolve({});
  opened.info = () => Promise.resolve(undefined);
  const generated: Readonly<Record<GeneratedSecret, string>> = {
    "kraft:wasabiAccessKeyId": keys.accessKeyId,
    "kraft:wasabiSecretAccessKey": keys.secretAccessKey,
    "kraft:guestTokenSeed": randomBytes(32).toString("hex"),
  };
  const missing = derived.missingSecrets.map((key) => [key, generated[key]] as const);
  const secrets = Object.entries({ ...Object.fromEntries(missing), ...options.secrets });
  if (secrets.length > 0) {
    await opened.setAllConfig(Object.fromEntries(secrets.map(([key, value]) => [key, { value, secret: true }])));
  }
  // Only now: a run that ended before them sets them again.
  keepS3Keys(directory, keys);
  // Of one that is wrong, the program says what is.
  const backup = configSchema.shape.backup.safeParse(declared.config?.["kraft:backup"]);
  if (backup.success) {
    await ensureS3(cluster, { ...keys, region: backup.data.region, bucket: backup.data.bucket });
  }

  const follow = async (
    verb: string,
    operation: (onEvent: (event: automation.EngineEvent) => void) => Promise<unknown>,
  ): Promise<EngineRun> => {
    mkdirSync(temporary, { recursive: true });
    try {
      return await new Follower(reporter, verb, options.onEvent).run(operation);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  };
  const up = async (interruption: AbortSignal | undefined): Promise<EngineRun> => {
    await releaseStaleLocks(stateFolder, project.name, stack.name, reporter);
    writeProject(looks());
    return follow("up", (onEvent) => opened.up({ onEvent, suppressOutputs: true, signal: interruption }));
  };
  return {
    overrides: derived.changes,
    config: derived.file.config ?? {},
    up: (interruption) =>
      withLock(join(directory, "engine.lock"), announceWait(reporter, "is changing the same platform"), () =>
        up(interruption),
      ),
    preview: () => {
      writeProject(looks());
      return follow("preview", (onEvent) => opened.preview({ onEvent }));
    },
  };
}
