import { join } from "node:path";
import type { Stack } from "../../stacks/index.ts";
import {
  apiServerPlan,
  controllerManagerPlan,
  type ControlPlaneInputs,
  etcdPlan,
  logFile,
  schedulerPlan,
} from "../control-plane.ts";
import type { ImageSource } from "../images/source.ts";
import type { ProcessPlan } from "../processes.ts";
import { toolPath, type Tools } from "../toolchain/ready.ts";
import { controlPlaneNode, internet, lan, nas, nodeAddress, router, visitor } from "./addresses.ts";
import { certificate } from "./certificates.ts";
import { nameServer, providerMachine, routerCorefile } from "./internet.ts";
import { nasMachine, routerMachine, visitorMachine, webServer } from "./neighbours.ts";
import { nodeMachine } from "./node.ts";
import type { Forwarding, HomePlan, HomeProcess, MachinePlan } from "./plan.ts";

/** What machines and their pods are made of. */
export interface HomeMaterial {
  /** Root file system of every machine. */
  readonly root: string;
  readonly images: {
    readonly archive: string;
    readonly fingerprint: string;
    /** Folder of a containerd that has imported them. */
    readonly store: string;
    readonly source: ImageSource;
  };
  readonly pauseImage: string;
}

/** What the machines of a home follow from. */
export interface HomeInputs extends HomeMaterial {
  readonly stack: Stack;
  readonly directory: string;
  readonly tools: Tools;
  /** Ports of the loopback address of this machine: to the host's API server, and to the home's public address. */
  readonly ports: Readonly<Record<"apiServer" | "web" | "websecure", number>>;
}

/** The same, with the files that machines read. */
export interface LayoutInputs extends Omit<HomeInputs, "images"> {
  readonly images: Pick<HomeMaterial["images"], "archive" | "fingerprint">;
  /** The cgroup of all machines. */
  readonly cgroup: string;
  /** User and group, `0:0` for example, that may call whoever keeps the volumes. */
  readonly owner: string;
  readonly credentials: ControlPlaneInputs["credentials"];
  /** Paths of kubeconfigs; those of kubelets by the name of their node. */
  readonly kubeconfigs: {
    readonly admin: string;
    readonly proxy: string;
    readonly kubelets: ReadonlyMap<string, string>;
  };
}

/** Ports in the network of the machine that the control plane runs on: nothing else is there. */
export const machinePorts = {
  etcdClient: 2379,
  etcdPeer: 2380,
  apiServer: 6443,
  controllerManager: 10257,
  scheduler: 10259,
} as const;

/** What a process of an embedded cluster is when it runs in a machine of the home. */
function asHomeProcess({
  name,
  executable,
  arguments: list,
  environment = {},
  logFile: log,
}: ProcessPlan): HomeProcess {
  return { name, command: [executable, ...list], environment, logFile: log };
}

/** Where the volumes of a home are, and how whoever keeps them is reached. */
export function volumePaths(directory: string): Readonly<Record<"images" | "mounts" | "socket", string>> {
  const folder = join(directory, "volumes");
  return { images: join(folder, "images"), mounts: join(folder, "mounts"), socket: join(folder, "disks.sock") };
}

/**
 * Which machines a home has, what runs on each, and what of them is reached from outside. Nothing is written or started.
 *
 * @throws Failure if the stack has no node.
 */
export function homePlan(inputs: LayoutInputs): HomePlan {
  const { stack, directory, tools, cgroup, owner, kubeconfigs } = inputs;
  const { name: controlPlaneName, address } = controlPlaneNode(stack);
  const controlPlane: ControlPlaneInputs = {
    stack,
    directory,
    tools,
    ports: machinePorts,
    credentials: inputs.credentials,
    machine: {
      address,
      certificates: {
        authority: certificate(directory, "authority"),
        server: certificate(directory, "api-server"),
        kubeletClient: certificate(directory, "kubelet-client"),
      },
      kubeconfig: kubeconfigs.admin,
    },
  };
  const log = (process: string): string => logFile(directory, process);
  const toolFolders = [...new Set([...tools.values()].map(({ path }) => join(path, "..")))];
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
  const nodes = stack.nodes.map(({ name }): MachinePlan => {
    return nodeMachine(
      {
        stack,
        name,
        cgroup,
        program: (tool) => toolPath(tools, tool),
        kubeconfigs: {
          kubelet: kubeconfigs.kubelets.get(name) ?? "",
          proxy: kubeconfigs.proxy,
          admin: kubeconfigs.admin,
        },
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
        ...(name === controlPlaneName
          ? [
              etcdPlan(controlPlane),
              apiServerPlan(controlPlane),
              controllerManagerPlan(controlPlane),
              schedulerPlan(controlPlane),
            ].map(asHomeProcess)
          : []),
      ],
    );
  });
  const forwards: Forwarding[] = [
    {
      name: "api-server",
      listen: `127.0.0.1:${inputs.ports.apiServer}`,
      machine: controlPlaneName,
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
  return {
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
          `--owner=${owner}`,
        ],
        logFile: log("disks"),
      },
    ],
    machines: [
      routerMachine(
        { address, directory },
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
}
