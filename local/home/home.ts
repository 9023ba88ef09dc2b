import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../errors/failure.ts";
import type { Stack } from "../../stacks/index.ts";
import { cacheDirectory } from "../cache.ts";
import {
  apiServerPlan,
  controllerManagerPlan,
  type ControlPlaneInputs,
  etcdPlan,
  kubeconfigText,
  logFile,
  provideCredentials,
  schedulerPlan,
  secretFile,
} from "../control-plane.ts";
import type { ProcessPlan } from "../processes.ts";
import { asRoot } from "../service-route.ts";
import { writeFileWhole } from "../state.ts";
import { toolPath, type Tools } from "../toolchain/ready.ts";
import { internet, lan, nas, nodeAddress, provider, router, visitor } from "./addresses.ts";
import { planFile } from "./enter.ts";
import { internetNames, nameServer, providerMachine, routerCorefile } from "./internet.ts";
import { nasMachine, routerMachine, visitorMachine, webServer } from "./neighbours.ts";
import { nodeMachine } from "./node.ts";
import type { Forwarding, HomePlan, HomeProcess, MachinePlan } from "./plan.ts";

/** What machines and their pods are made of. */
export interface HomeMaterial {
  /** Root file system of every machine. */
  readonly root: string;
  readonly images: { readonly archive: string; readonly fingerprint: string };
  readonly pauseImage: string;
}

export interface HomeInputs extends HomeMaterial {
  readonly stack: Stack;
  readonly directory: string;
  readonly tools: Tools;
  /** Ports of the loopback address of this machine: to the host's API server, and to the home's public address. */
  readonly ports: Readonly<Record<"apiServer" | "web" | "websecure", number>>;
}

/** Ports in the network of the machine that the control plane runs on: nothing else is there. */
const machinePorts = {
  etcdClient: 2379,
  etcdPeer: 2380,
  apiServer: 6443,
  controllerManager: 10257,
  scheduler: 10259,
} as const;

/**
 * The authority of the internet's servers, without `.crt` and `.key`: one for all homes of this user, since the images trust
 * it.
 */
export function internetAuthority(): string {
  return join(cacheDirectory(), "internet-authority", "authority");
}

function certificate(directory: string, name: string): string {
  return join(directory, "certificates", name);
}

/**
 * The certificate of the internet's authority, in PEM: made at the first time.
 *
 * @throws Failure if it cannot be made.
 */
export function internetCertificate(tools: Tools): string {
  const authority = { path: internetAuthority(), commonName: "Kraft's embedded internet" };
  makeCertificates(tools, join(cacheDirectory(), "internet-authority", "list.json"), [authority]);
  return readFileSync(`${authority.path}.crt`, "utf8");
}

function makeCertificates(tools: Tools, list: string, wanted: readonly object[]): void {
  writeFileWhole(list, JSON.stringify(wanted));
  const result = spawnSync(toolPath(tools, "home"), ["certificates", list], { encoding: "utf8" });
  if (result.status !== 0) {
    throw new Failure(`Certificates cannot be made: ${result.stderr}`);
  }
}

/** Runs the Go program that makes certificates which are not there yet. */
function provideCertificates({ directory, stack, tools }: HomeInputs, address: string): void {
  const authority = certificate(directory, "authority");
  const [first, second] = stack.network.serviceCidr.split(".");
  makeCertificates(tools, join(directory, "certificates", "list.json"), [
    { path: authority, commonName: "kubernetes" },
    {
      path: certificate(directory, "api-server"),
      authority,
      commonName: "kube-apiserver",
      names: [
        "localhost",
        ...["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"],
      ],
      addresses: [address, "127.0.0.1", `${first}.${second}.0.1`],
    },
    {
      path: certificate(directory, "acme"),
      authority: internetAuthority(),
      commonName: internetNames.acme,
      names: [internetNames.acme],
    },
    {
      path: certificate(directory, "kubelet-client"),
      authority,
      commonName: "kube-apiserver-kubelet-client",
      organizations: ["system:masters"],
    },
  ]);
}

/** A kubeconfig of a user with a token, made once. Returns its path, and the line for the API server's file of tokens. */
function user(
  directory: string,
  server: string,
  { name, groups }: { readonly name: string; readonly groups: string },
): { readonly kubeconfig: string; readonly line: string } {
  const key = name.replaceAll(":", "-");
  const token = secretFile(join(directory, "credentials", key), () => randomToken());
  const kubeconfig = join(directory, "credentials", `${key}.kubeconfig`);
  const certificateAuthority = readFileSync(`${certificate(directory, "authority")}.crt`, "utf8");
  writeFileWhole(kubeconfig, kubeconfigText("home", { server, certificateAuthority, token }));
  return { kubeconfig, line: `${token},${name},${name},"${groups}"` };
}

function randomToken(): string {
  return createHash("sha256").update(crypto.randomUUID()).update(crypto.randomUUID()).digest("base64url");
}

/** What a process of an embedded cluster is when it runs in a machine of the home. */
function inMachine({ name, executable, arguments: list, environment = {}, logFile: log }: ProcessPlan): HomeProcess {
  return { name, command: [executable, ...list], environment, logFile: log };
}

/** A home that can be started, and how its API server is reached. */
export interface Home {
  readonly plan: HomePlan;
  /** The process that holds everything: see local/tools/home. */
  readonly process: ProcessPlan;
  readonly certificateAuthority: string;
  readonly token: string;
}

/** A command line that needs root: through sudo where this process is not root's. */
function asAdministrator(
  program: string,
  ...rest: readonly string[]
): { readonly executable: string; readonly arguments: readonly string[] } {
  return process.getuid?.() === 0
    ? { executable: program, arguments: rest }
    : { executable: "sudo", arguments: ["-n", program, ...rest] };
}

/** Takes away what a home that has ended left on this machine: its cgroups. */
export function cleanHome(directory: string): void {
  const file = planFile(directory);
  if (!existsSync(file)) {
    return;
  }
  const { cgroup } = JSON.parse(readFileSync(file, "utf8")) as HomePlan;
  // Only empty cgroups can be removed, deepest first.
  const folders = ["/sys/fs/cgroup", "/sys/fs/cgroup/*"].map((parent) => `${parent}/${cgroup}`).join(" ");
  asRoot(
    [
      "sh",
      "-c",
      `for folder in ${folders}; do [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir {} +; done`,
    ],
    "The machines' cgroups must be removed",
  );
}

export function homeName(directory: string): string {
  return `kraft-${createHash("sha256").update(directory).digest("hex").slice(0, 8)}`;
}

/** Where the volumes of a home are, and how whoever keeps them is reached. */
export function volumePaths(directory: string): Readonly<Record<"images" | "mounts" | "socket", string>> {
  const folder = join(directory, "volumes");
  return { images: join(folder, "images"), mounts: join(folder, "mounts"), socket: join(folder, "disks.sock") };
}

/** Writes what the machines of a home need, and its plan. Nothing is started. */
export function prepareHome(inputs: HomeInputs): Home {
  const { stack, directory, tools } = inputs;
  mkdirSync(directory, { recursive: true });
  const [first] = stack.nodes;
  if (first === undefined) {
    throw new Failure(`The stack ${stack.name} has no node.`);
  }
  const address = nodeAddress(stack, first.name);
  provideCertificates(inputs, address);
  const credentials = provideCredentials(directory);
  const server = `https://${address}:${machinePorts.apiServer}`;
  const admin = user(directory, server, { name: "kraft-machines", groups: "system:masters" });
  const proxy = user(directory, server, { name: "system:kube-proxy", groups: "system:node-proxier" });
  const kubelets = stack.nodes.map(({ name }) =>
    user(directory, server, { name: `system:node:${name}`, groups: "system:nodes" }),
  );
  const tokenFile = join(directory, "credentials", "machines.csv");
  const lines = [admin, proxy, ...kubelets].map(({ line }) => line);
  writeFileWhole(tokenFile, `${readFileSync(credentials.tokenFile, "utf8").trim()}\n${lines.join("\n")}\n`);
  const controlPlane: ControlPlaneInputs = {
    stack,
    directory,
    tools,
    ports: machinePorts,
    credentials: { ...credentials, tokenFile },
    machine: {
      address,
      certificates: {
        authority: certificate(directory, "authority"),
        server: certificate(directory, "api-server"),
        kubeletClient: certificate(directory, "kubelet-client"),
      },
      kubeconfig: admin.kubeconfig,
    },
  };
  const log = (process: string): string => logFile(directory, process);
  const toolFolders = [...new Set([...tools.values()].map(({ path }) => join(path, "..")))];
  const cgroup = homeName(directory);
  const volumes = volumePaths(directory);
  const outside = [...toolFolders, join(inputs.images.archive, "..")].map((folder) => ({
    source: folder,
    target: folder,
    readOnly: true,
  }));
  const everybody = [
    ...stack.nodes.map(({ name }) => ({ name, address: nodeAddress(stack, name) })),
    { name: router.name, address: router.address },
    nas,
  ];
  const hosts = ["127.0.0.1 localhost", ...everybody.map((host) => `${host.address} ${host.name}`), ""].join("\n");
  const nodes = stack.nodes.map(({ name }, index): MachinePlan => {
    const kubelet = kubelets[index]?.kubeconfig ?? "";
    const machine = nodeMachine(
      {
        stack,
        name,
        cgroup,
        program: (tool) => toolPath(tools, tool),
        kubeconfigs: { kubelet, proxy: proxy.kubeconfig, admin: admin.kubeconfig },
        clientAuthority: `${certificate(directory, "authority")}.crt`,
        images: inputs.images,
        pauseImage: inputs.pauseImage,
        logFile: log,
        hosts,
      },
      [
        {
          name: "volumes",
          command: [
            toolPath(tools, "volume-stand-in"),
            "node",
            "--kubelet-dir=/var/lib/kubelet",
            `--node-id=${name}`,
            `--mounts=${volumes.mounts}`,
            `--disks-socket=${volumes.socket}`,
          ],
          logFile: log(`${name}-volumes`),
        },
        ...(name === first.name
          ? [
              etcdPlan(controlPlane),
              apiServerPlan(controlPlane),
              controllerManagerPlan(controlPlane),
              schedulerPlan(controlPlane),
            ].map(inMachine)
          : []),
      ],
    );
    return machine;
  });
  const forwards: Forwarding[] = [
    {
      name: "api-server",
      listen: `127.0.0.1:${inputs.ports.apiServer}`,
      machine: first.name,
      to: `${address}:${machinePorts.apiServer}`,
    },
    // As somebody on the internet sees the home.
    ...(
      [
        ["web", 80],
        ["websecure", 443],
      ] as const
    ).map(([name, port]) => ({
      name,
      listen: `127.0.0.1:${inputs.ports[name]}`,
      machine: visitor.name,
      to: `${router.publicAddress}:${port}`,
    })),
  ];
  const plan: HomePlan = {
    directory,
    root: inputs.root,
    cgroup,
    networks: [lan.name, internet.name],
    shared: [volumes.mounts],
    processes: [
      {
        name: "disks",
        command: [
          toolPath(tools, "volume-stand-in"),
          "disks",
          `--directory=${volumes.images}`,
          `--mounts=${volumes.mounts}`,
          `--socket=${volumes.socket}`,
          `--owner=${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
        ],
        logFile: log("disks"),
      },
    ],
    machines: [
      routerMachine(
        { address },
        [{ path: "/etc/coredns", text: routerCorefile, mode: 0o644 }],
        [
          webServer(log(router.name), router.address),
          nameServer(toolPath(tools, "coredns"), "/etc/coredns", log("router-dns")),
        ],
      ),
      nasMachine(log),
      providerMachine({
        directory,
        program: (tool) => toolPath(tools, tool),
        certificate: {
          certificate: `${certificate(directory, "acme")}.crt`,
          key: `${certificate(directory, "acme")}.key`,
        },
        logFile: log,
      }),
      visitorMachine(),
      ...nodes,
    ].map((machine) => ({ ...machine, mounts: outside })),
    forwards,
  };
  const file = planFile(directory);
  const text = JSON.stringify(plan, undefined, 2);
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    writeFileWhole(file, text);
  }
  return {
    plan,
    process: {
      name: "home",
      ...asAdministrator(toolPath(tools, "home"), "run", file),
      logFile: log("home"),
      // No program reads it: another plan is another process.
      environment: { KRAFT_PLAN: createHash("sha256").update(text).digest("hex").slice(0, 16) },
    },
    certificateAuthority: readFileSync(`${certificate(directory, "authority")}.crt`, "utf8"),
    token: credentials.token,
  };
}

export { provider, visitor };
