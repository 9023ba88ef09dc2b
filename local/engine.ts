import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import * as automation from "@pulumi/pulumi/automation/index.js";
import { stringify } from "yaml";
import { Failure, messageOf } from "../errors/failure.ts";
import { readPulumiFile, record, stackFilePath } from "../infra/config/pulumi-files.ts";
import { configSchema } from "../infra/config/schema.ts";
import { fieldsChangedByHand } from "../infra/drift/changed-fields.ts";
import { handChangeIn } from "../infra/drift/drift-message.ts";
import type { FieldChange, Fields } from "../infra/drift/fields.ts";
import { ownerOf } from "../infra/drift/owner.ts";
import { eventually } from "./api.ts";
import { k3kVersion } from "./charts.ts";
import { secretFile } from "./control-plane.ts";
import type { HostCluster } from "./host-cluster.ts";
import { announceWait, withLock } from "./lock.ts";
import { identify, lessGarbageCollection, readOrUndefined } from "./processes.ts";
import { ensureS3, keepS3Keys, newS3Keys, readS3Keys, s3Endpoint, s3Port } from "./s3.ts";
import { type GeneratedSecret, localProjectFile, localStackFile, type ProjectFile } from "./stack-files.ts";
import { writeFileWhole } from "./state.ts";
import { type Reporter, silentReporter } from "./terminal.ts";
import { readyTool, toolPath } from "./toolchain/ready.ts";

export interface EngineRun {
  /** Number of resources by what happens to them: `create`, `update`, `replace`, `delete`, `same`, … */
  readonly changes: Readonly<Record<string, number>>;
  /** What happens to each resource that does not stay the same. */
  readonly steps: readonly { readonly operation: string; readonly urn: string }[];
  /** How many objects were read from the cluster before anything else; 0 for a run that only compares with the record. */
  readonly looked: number;
  /** What somebody had changed in the cluster, and `up` puts back. */
  readonly byHand: readonly ByHand[];
  /** Warnings and errors that the program and the providers reported, each once, without those that settled. */
  readonly messages: readonly { readonly severity: string; readonly text: string }[];
  readonly seconds: number;
}

/** One object that was changed by hand. */
export interface ByHand {
  /** A tenant's name, or `platform`. */
  readonly owner: string;
  /** Kind and name. */
  readonly object: string;
  /** `deleted`, or a property with its live and its declared value. */
  readonly what: string;
}

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
  readonly config?: Readonly<Record<string, unknown>>;
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

/** The last part of a URN: the resource's name. */
function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

function titleOf({ kind, namespace, name }: { kind: string; namespace?: string | undefined; name: string }): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** How many characters of a value a line shows. */
const valueLimit = 60;

function fieldText({ path, old: live, new: declared }: FieldChange): string {
  const [is, wanted] = [live, declared].map((value) => {
    const text = value === undefined ? "nothing" : JSON.stringify(value);
    return text.length > valueLimit ? `${text.slice(0, valueLimit - 1)}…` : text;
  });
  return `${path} is ${is}, declared is ${wanted}`;
}

/** What Kubernetes says while Pulumi waits for it, and then settles by itself. */
const passingWarnings = [
  // A Deployment whose pods have not started yet.
  /\[MinimumReplicasUnavailable\]/,
  // The API server's own check of service addresses saw a Service before the address that it had just allocated.
  /ClusterIPNotAllocated: .* is not allocated; repairing$/,
  // A chart's pods came before their service account; the controller tries again.
  /FailedCreate: Error creating: pods .* is forbidden: error looking up service account /,
];

/** Follows an operation's events: shows where it is, and keeps what it did. */
class Follower {
  readonly #reporter: Reporter;
  readonly #verb: string;
  readonly #onEvent: EngineOptions["onEvent"];
  readonly #started = Date.now();
  readonly #steps: { operation: string; urn: string }[] = [];
  /** By their text: each is kept once. */
  readonly #messages = new Map<string, { severity: string; text: string }>();
  /** By URN, what was recorded of an object that is gone or differs, and what the cluster has. */
  readonly #looks = new Map<string, { recorded: Fields; live: Fields | undefined; paths: readonly string[] }>();
  readonly #byHand: ByHand[] = [];
  #looked = 0;
  #seen = 0;
  #finished = 0;
  #changes: Record<string, number> = {};

  constructor(reporter: Reporter, verb: string, onEvent: EngineOptions["onEvent"]) {
    this.#reporter = reporter;
    this.#verb = verb;
    this.#onEvent = onEvent;
  }

  #follow(event: automation.EngineEvent): void {
    const { resourcePreEvent, resOutputsEvent, diagnosticEvent, summaryEvent } = event;
    if (resourcePreEvent !== undefined) {
      const { op, urn } = resourcePreEvent.metadata;
      this.#seen += 1;
      if (op !== "same" && op !== "read" && op !== "refresh") {
        this.#steps.push({ operation: op, urn });
        this.#compare(resourcePreEvent.metadata);
      }
      this.#show(urn);
    } else if (resOutputsEvent !== undefined) {
      this.#finished += 1;
      this.#look(resOutputsEvent.metadata);
      this.#show(resOutputsEvent.metadata.urn);
    } else if (diagnosticEvent !== undefined && ["warning", "error"].includes(diagnosticEvent.severity)) {
      const { urn = "", message, severity } = diagnosticEvent;
      // Colours come as tags such as <{%reset%}>.
      const text = `${urn === "" ? "" : `${nameOf(urn)}: `}${message.replace(/<\{%.*?%\}>/g, "").trim()}`;
      const told = handChangeIn(text);
      if (told === undefined) {
        this.#messages.set(text, { severity, text });
      } else {
        this.#byHand.push({
          owner: told.owner,
          object: titleOf(told),
          what: fieldText({ path: told.path, old: told.live, new: told.declared }),
        });
      }
    } else if (summaryEvent !== undefined) {
      this.#changes = { ...summaryEvent.resourceChanges };
    }
  }

  /** Keeps what the look at the cluster found of an object. */
  #look({ op, old, new: live, type, detailedDiff }: automation.StepEventMetadata): void {
    if (op === "refresh" && old !== undefined && type.startsWith("kubernetes:") && old.custom) {
      this.#looked += 1;
      this.#looks.set(old.urn, {
        recorded: old.inputs,
        live: live?.inputs,
        paths: Object.keys(detailedDiff ?? {}),
      });
    }
  }

  /** Keeps what of an object that is about to change was changed by hand. */
  #compare({ op, urn, new: next }: automation.StepEventMetadata): void {
    const { recorded, live, paths = [] } = this.#looks.get(urn) ?? {};
    if (recorded === undefined || next === undefined) {
      return;
    }
    const isOfTenant = urn.includes("kraft:index:Tenant$");
    const declared: Fields = next.inputs;
    const { namespace, name = nameOf(urn) } = record(declared["metadata"]) as { namespace?: string; name?: string };
    const kind = typeof declared["kind"] === "string" ? declared["kind"] : "";
    const about = { owner: ownerOf(nameOf(urn), isOfTenant, declared), object: titleOf({ kind, namespace, name }) };
    if (live === undefined) {
      this.#byHand.push(...(op === "create" ? [{ ...about, what: "deleted" }] : []));
      return;
    }
    const fields = fieldsChangedByHand(recorded, live, declared);
    // Of a secret the engine says only that it differs.
    const hidden = fields.length > 0 ? [] : paths.map((path) => `${path} is another`);
    this.#byHand.push(...[...fields.map(fieldText), ...hidden].map((what) => ({ ...about, what })));
  }

  #show(urn: string): void {
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    this.#reporter.progress(
      `${this.#verb}: ${this.#finished} of ${this.#seen} resources, ${seconds} s, now ${nameOf(urn)}`,
    );
  }

  /** Runs an operation. Where it fails, its errors are shown in full, or else what the CLI said. */
  async run(operation: (onEvent: (event: automation.EngineEvent) => void) => Promise<unknown>): Promise<EngineRun> {
    try {
      await operation((event) => {
        this.#onEvent?.(event);
        this.#follow(event);
      });
    } catch (error) {
      const errors = [...this.#messages.values()].filter(({ severity }) => severity === "error");
      const details = errors.length > 0 ? errors.map(({ text }) => text).join("\n\n") : messageOf(error);
      throw new Failure(`pulumi ${this.#verb} failed:\n\n${details}`);
    } finally {
      this.#reporter.done();
    }
    return {
      changes: this.#changes,
      steps: this.#steps,
      looked: this.#looked,
      byHand: this.#byHand,
      messages: [...this.#messages.values()].filter(
        ({ severity, text }) => severity !== "warning" || !passingWarnings.some((warning) => warning.test(text)),
      ),
      seconds: (Date.now() - this.#started) / 1000,
    };
  }
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

/** Makes the engine ready for a cluster: writes its project and stack file, and its secrets at the first run. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { cluster } = options;
  const { stack, directory, tools } = cluster;
  const reporter = options.reporter ?? silentReporter;
  const workDir = engineFolder(directory);
  const stateFolder = join(workDir, "state");
  mkdirSync(stateFolder, { recursive: true });

  const project = readPulumiFile(join(checkout, "Pulumi.yaml")) as ProjectFile | undefined;
  const declared = readPulumiFile(stackFilePath(checkout, stack.name));
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
    previous: readPulumiFile(ownStackFile),
    cluster: { kubeconfig: cluster.kubeconfig, context: cluster.context, uid: cluster.uid },
    charts: chartsPath,
    k3kVersion,
    s3: { endpoint: s3Endpoint(s3Port(cluster)), keysAreNew: knownKeys === undefined },
    overrides: options.config,
  });
  writeFileWhole(ownStackFile, stringify(derived.file));

  const passphrase = secretFile(join(directory, "credentials", "pulumi-passphrase"), () =>
    randomBytes(24).toString("base64url"),
  );
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

  const follow = (verb: string): Follower => new Follower(reporter, verb, options.onEvent);
  const up = async (interruption: AbortSignal | undefined): Promise<EngineRun> => {
    await releaseStaleLocks(stateFolder, project.name, stack.name, reporter);
    writeProject(looks());
    return follow("up").run((onEvent) => opened.up({ onEvent, suppressOutputs: true, signal: interruption }));
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
      return follow("preview").run((onEvent) => opened.preview({ onEvent }));
    },
  };
}
