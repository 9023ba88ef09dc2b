import { existsSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { stringify } from "yaml";
import { condition } from "../cluster/objects.ts";
import { paths } from "../cluster/paths.ts";
import { podSecurityConfiguration } from "../components/plan/machines/k3s.ts";
import { Failure } from "../errors/failure.ts";
import type { Stack } from "../stacks/index.ts";
import { type Access, Api, eventually } from "./api.ts";
import {
  admissionFile,
  apiServerPlan,
  controllerManagerPlan,
  type ControlPlaneInputs,
  etcdPlan,
  kubeconfigFile,
  kubeconfigText,
  kwokConfiguration,
  kwokFile,
  kwokPlan,
  provideCredentials,
  schedulerPlan,
  servingCertificate,
} from "./control-plane.ts";
import { planFile } from "./home/enter.ts";
import { cleanHome, prepareHome, provideNodeImages } from "./home/home.ts";
import type { HomeMaterial } from "./home/layout.ts";
import { nodeObject } from "./home/node.ts";
import { announceWait, withLock } from "./lock.ts";
import {
  answersOk,
  isRunning,
  lastLines,
  planFingerprint,
  type ProcessPlan,
  type ProcessRecord,
  startProcess,
  stopProcesses,
  waitUntilReady,
} from "./processes.ts";
import { asRoot } from "./root.ts";
import { claimServiceRoute, releaseServiceRoute, withClaims } from "./service-route.ts";
import { simulatedNode } from "./simulated-nodes.ts";
import {
  freePorts,
  isFree,
  type Machines,
  portOwners,
  type Ports,
  readState,
  StateStore,
  writeFileWhole,
} from "./state.ts";
import { type Reporter, silentReporter } from "./terminal.ts";
import type { Tools } from "./toolchain/ready.ts";

/** An embedded cluster that runs. */
export interface HostCluster {
  readonly stack: Stack;
  /** Everything of this cluster is in this folder. */
  readonly directory: string;
  readonly kubeconfig: string;
  readonly context: string;
  /** UID of the namespace kube-system: what the program compares before it touches anything. */
  readonly uid: string;
  readonly api: Api;
  readonly state: StateStore;
  readonly tools: Tools;
  /** Whether pods run on machines of a home, or are simulated. */
  readonly machines: Machines;
  /** Names of the processes that this call had to start; none when everything ran already. */
  readonly started: readonly string[];
}

function runs(record: ProcessRecord | undefined): record is ProcessRecord {
  return record !== undefined && isRunning(record);
}

/** The ports of a cluster: those that it has had, where nobody else took them, else others that no cluster has. */
function choosePorts(state: StateStore): Promise<Ports> {
  return withClaims(async (claims) => {
    const others = claims.filter(({ directory }) => directory !== state.directory);
    const taken = others.flatMap(({ directory }) => Object.values(readState(directory)?.ports ?? {}));
    const fresh = await freePorts(Object.keys(portOwners).length, taken);
    const chosen = {} as Record<keyof Ports, number>;
    for (const [index, [key, owners]] of Object.entries(portOwners).entries()) {
      const name = key as keyof Ports;
      const port = state.ports?.[name];
      // A port is kept while its process runs or nobody else has it.
      const keep = port !== undefined && (owners.some((name) => runs(state.processes[name])) || (await isFree(port)));
      chosen[name] = keep ? port : (fresh[index] ?? 0);
    }
    state.setPorts(chosen);
    return chosen;
  });
}

/** Whether a component answers `/healthz` on its own port, whose certificate is its own too. */
function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      { host: "127.0.0.1", port, path: "/healthz", rejectUnauthorized: false, timeout: 2000, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    call.on("timeout", () => call.destroy());
    call.on("error", () => {
      resolve(false);
    });
    call.end();
  });
}

/** Makes sure that a process of this very plan runs. */
export async function ensureProcess(state: StateStore, plan: ProcessPlan, started: string[]): Promise<ProcessRecord> {
  const recorded = state.processes[plan.name];
  if (runs(recorded)) {
    if (recorded.plan === planFingerprint(plan)) {
      return recorded;
    }
    await stopProcesses([recorded]);
  }
  const record = startProcess(plan);
  try {
    state.setProcess(plan.name, record);
  } catch (error) {
    // What nobody has written down, nobody would stop.
    await stopProcesses([record]);
    throw error;
  }
  started.push(plan.name);
  return record;
}

async function ensureNodes(api: Api, stack: Stack): Promise<void> {
  const present = await api.list(paths.nodes.all);
  const wanted = new Set(stack.nodes.map((node) => node.name));
  for (const node of present) {
    if (node.metadata.labels?.["kraft.dev/simulated"] === "true" && !wanted.has(node.metadata.name)) {
      await api.delete(paths.nodes.named(node.metadata.name));
    }
  }
  for (const node of stack.nodes) {
    const simulated = simulatedNode(node, stack);
    const found = present.find(({ metadata }) => metadata.name === node.name);
    if (found === undefined) {
      await api.create(paths.nodes.all, simulated);
    } else if (found.metadata.labels?.["kraft.dev/simulated"] === "true") {
      // As if the operator had put the memory in that the stack file now declares.
      const { capacity, allocatable } = simulated.status;
      await api.merge(`${paths.nodes.named(node.name)}/status`, { status: { capacity, allocatable } });
    }
  }
}

async function nodesAreReady(api: Api, stack: Stack): Promise<boolean> {
  const nodes = await api.list(paths.nodes.all);
  const ready = nodes.filter(
    ({ spec, status }) => spec?.podCIDR !== undefined && condition(status, "Ready")?.status === "True",
  );
  return ready.length >= stack.nodes.length;
}

interface HostClusterOptions extends Pick<HostCluster, "stack" | "directory" | "tools"> {
  /** What real machines are made of; without it the nodes are simulated. */
  readonly home?: HomeMaterial;
  readonly reporter?: Reporter;
}

/** How the API server that was started is reached. */
interface Started {
  readonly access: Access;
  readonly api: Api;
  readonly apiServer: ProcessRecord;
}

/**
 * Brings a host cluster up: on the machines of a home, or as etcd, API server, controller manager and scheduler on the
 * loopback address, with the stack's nodes simulated by kwok. What already runs stays; what is missing or was started
 * otherwise is started.
 */
export async function startHostCluster(options: HostClusterOptions): Promise<HostCluster> {
  const reporter = options.reporter ?? silentReporter;
  return alone(options.directory, reporter, () => start(options, reporter));
}

async function start(options: HostClusterOptions, reporter: Reporter): Promise<HostCluster> {
  const { directory, stack, tools, home } = options;
  if (process.platform !== "linux") {
    throw new Failure(
      `The embedded cluster needs Linux, and this is ${process.platform}. Run it in a Linux virtual machine.`,
    );
  }
  const machines: Machines = home === undefined ? "simulated" : "real";
  const earlier = readState(directory);
  if (earlier !== undefined && earlier.stack !== stack.name) {
    throw new Failure(
      `${directory} holds a cluster of the stack ${earlier.stack}, not ${stack.name}. Use another folder, or stop that cluster first.`,
    );
  }
  if (earlier?.machines !== undefined && earlier.machines !== machines) {
    throw new Failure(
      `The embedded cluster ${stack.name} has ${earlier.machines} machines, and this run is for ${machines} ones. ` +
        `Remove it first: npm run local:down -- --stack ${stack.name}${machines === "real" ? ", or add --simulated" : ""}`,
    );
  }
  const started: string[] = [];
  const state = new StateStore(directory, stack.name, machines, home?.images.source);
  const ports = await choosePorts(state);
  // The very Pod Security that Kraft sets k3s nodes up with, and Talos ships.
  writeFileWhole(admissionFile(directory), stringify(podSecurityConfiguration()));
  const { access, api, apiServer } =
    home === undefined
      ? await startSimulated({ directory, stack, tools, ports, state, started, reporter })
      : await startHome({ directory, stack, tools, ports, state, started, reporter, home });
  const context = `kraft-local-${stack.name}`;
  writeFileWhole(kubeconfigFile(directory), kubeconfigText(context, access));
  let uid: string | undefined;
  // The API server makes this namespace itself, shortly after it is ready.
  await eventually(async () => {
    uid = (await api.get(paths.namespaces.named("kube-system")))?.metadata.uid;
    return uid !== undefined;
  }, 30);
  if (uid === undefined) {
    throw new Failure(
      `The namespace kube-system does not appear. The end of ${apiServer.logFile}:\n${lastLines(apiServer.logFile)}`,
    );
  }
  reporter.done();
  return {
    stack,
    directory,
    kubeconfig: kubeconfigFile(directory),
    context,
    uid,
    api,
    state,
    tools,
    machines,
    started,
  };
}

interface StartInputs extends Pick<HostCluster, "stack" | "directory" | "tools" | "state"> {
  readonly ports: Ports;
  readonly started: string[];
  readonly reporter: Reporter;
}

/** The control plane on the loopback address, and nodes that kwok keeps alive. */
async function startSimulated({
  directory,
  stack,
  tools,
  ports,
  state,
  started,
  reporter,
}: StartInputs): Promise<Started> {
  await claimServiceRoute(directory, stack.network.serviceCidr);
  const credentials = provideCredentials(directory);
  const inputs: ControlPlaneInputs = { stack, directory, tools, ports, credentials };
  writeFileWhole(kwokFile(directory), kwokConfiguration());

  reporter.progress("starting etcd");
  const etcd = await ensureProcess(state, etcdPlan(inputs), started);
  await waitUntilReady("etcd", etcd, () => answersOk(`http://127.0.0.1:${ports.etcdClient}/health`));

  reporter.progress("starting the API server");
  const apiServer = await ensureProcess(state, apiServerPlan(inputs), started);
  const certificate = servingCertificate(directory);
  await waitUntilReady("kube-apiserver", apiServer, () => Promise.resolve(existsSync(certificate)));
  const access: Access = {
    server: `https://127.0.0.1:${ports.apiServer}`,
    certificateAuthority: readFileSync(certificate, "utf8"),
    token: credentials.token,
  };
  const api = new Api(access);
  await waitUntilReady("kube-apiserver", apiServer, () => api.answers("/readyz"));
  writeFileWhole(kubeconfigFile(directory), kubeconfigText(`kraft-local-${stack.name}`, access));

  reporter.progress("starting the controllers");
  const controllerManager = await ensureProcess(state, controllerManagerPlan(inputs), started);
  const scheduler = await ensureProcess(state, schedulerPlan(inputs), started);
  const kwok = await ensureProcess(state, kwokPlan(inputs), started);
  await ensureNodes(api, stack);
  await Promise.all([
    waitUntilReady("kube-controller-manager", controllerManager, () => isHealthy(ports.controllerManager)),
    waitUntilReady("kube-scheduler", scheduler, () => isHealthy(ports.scheduler)),
    waitUntilReady("kwok", kwok, () => nodesAreReady(api, stack)),
  ]);
  return { access, api, apiServer };
}

/** A home whose machines run the control plane and the nodes. */
async function startHome({
  directory,
  stack,
  tools,
  ports,
  state,
  started,
  reporter,
  home,
}: StartInputs & { readonly home: HomeMaterial }): Promise<Started> {
  const { process: homeProcess, ...reached } = prepareHome({
    stack,
    directory,
    tools,
    ...home,
    ports,
  });
  reporter.progress("starting the machines");
  provideNodeImages(directory, stack, home.images);
  const record = await ensureProcess(state, homeProcess, started);
  const access: Access = { server: `https://127.0.0.1:${ports.apiServer}`, ...reached };
  const api = new Api(access);
  await waitUntilReady("the home", record, () => api.answers("/readyz"), 120);
  for (const { name } of stack.nodes) {
    const node = nodeObject(stack, name);
    if ((await api.get(paths.nodes.named(name))) === undefined) {
      await api.create(paths.nodes.all, node);
    } else {
      // A kubelet that was quicker registers without Kraft's labels.
      const { labels, annotations } = node.metadata;
      await api.merge(paths.nodes.named(name), { metadata: { labels, annotations } });
    }
  }
  reporter.progress("waiting for the nodes");
  await waitUntilReady("the nodes", record, () => nodesAreReady(api, stack), 180);
  return { access, api, apiServer: record };
}

/** How long machines take to end by themselves: see stopGrace in local/tools/home. */
const homeGraceSeconds = 20;

/** Stops every process of the cluster in `directory`. The folder stays. */
export async function stopHostCluster(directory: string): Promise<void> {
  const { "kube-apiserver": apiServer, etcd, home, ...clients } = readState(directory)?.processes ?? {};
  // Clients before servers: an API server without etcd would wait for its grace time.
  for (const group of [Object.values(clients), [apiServer], [etcd]]) {
    await stopProcesses(
      group.filter((record) => record !== undefined),
      5,
    );
  }
  if (home !== undefined) {
    await stopProcesses([home], homeGraceSeconds);
    cleanHome(directory);
  }
}

/** Stops every process of the cluster in `directory` and removes the folder. Says whether there was one. */
export async function removeHostCluster(directory: string, reporter: Reporter = silentReporter): Promise<boolean> {
  if (!existsSync(directory)) {
    return false;
  }
  await alone(directory, reporter, async () => {
    await stopHostCluster(directory);
    await releaseServiceRoute(directory);
    if (existsSync(planFile(directory))) {
      // Much in the machines' folders is root's.
      asRoot(["rm", "-rf", "--one-file-system", directory], "The machines' files must be removed");
    }
    rmSync(directory, { recursive: true, force: true });
  });
  return true;
}

/** Runs `action` while nobody else starts or removes the cluster in `directory`. */
function alone<Result>(directory: string, reporter: Reporter, action: () => Promise<Result>): Promise<Result> {
  return withLock(`${directory}.lock`, announceWait(reporter, "works on the same cluster"), action);
}
