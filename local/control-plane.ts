import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { apiServerArguments } from "../components/plan/machines/api-server.ts";
import type { Stack } from "../stacks/index.ts";
import type { Access } from "./api.ts";
import { cacheDirectory } from "./cache.ts";
import { lessGarbageCollection, type ProcessPlan } from "./processes.ts";
import { type Ports, writeFileWhole } from "./state.ts";
import { moduleFolder } from "./toolchain/go.ts";
import { toolPath, type Tools } from "./toolchain/ready.ts";
import { toolModules } from "./toolchain/tools.ts";

/** The text of a secret file, made by `make` if it is not there yet. */
export function secretFile(path: string, make: () => string): string {
  if (!existsSync(path)) {
    writeFileWhole(path, make(), 0o600);
  }
  return readFileSync(path, "utf8");
}

/** A token that nobody guesses. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** The token of the administrator, and the paths of secrets: each a file that only its user can read, made once. */
export function provideCredentials(directory: string) {
  const folder = join(directory, "credentials");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const token = secretFile(join(folder, "admin-token"), newToken);
  const tokenFile = join(folder, "tokens.csv");
  secretFile(tokenFile, () => `${token},kraft-admin,kraft-admin,"system:masters"\n`);
  const serviceAccountPrivateKey = join(folder, "service-account.key");
  const serviceAccountPublicKey = join(folder, "service-account.pub");
  if (!existsSync(serviceAccountPublicKey) || !existsSync(serviceAccountPrivateKey)) {
    const pair = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    writeFileWhole(serviceAccountPrivateKey, pair.privateKey);
    writeFileWhole(serviceAccountPublicKey, pair.publicKey);
  }
  return { token, tokenFile, serviceAccountPrivateKey, serviceAccountPublicKey };
}

/** What the command lines of the host cluster's processes follow from. */
export interface ControlPlaneInputs {
  readonly stack: Stack;
  readonly directory: string;
  readonly tools: Tools;
  readonly ports: Pick<Ports, "etcdClient" | "etcdPeer" | "apiServer" | "controllerManager" | "scheduler">;
  readonly credentials: ReturnType<typeof provideCredentials>;
  /** Where the control plane runs on a machine with kubelets; without it, on the loopback address and for simulated nodes. */
  readonly machine?: {
    readonly address: string;
    /** Paths without `.crt` and `.key`. */
    readonly certificates: Readonly<Record<"authority" | "server" | "kubeletClient", string>>;
    /** By which the controller manager and the scheduler reach the API server. */
    readonly kubeconfig: string;
  };
}

/** The certificate authority that clients of the API server trust. */
export function authorityFile({ directory, machine }: Pick<ControlPlaneInputs, "directory" | "machine">): string {
  return machine === undefined ? servingCertificate(directory) : `${machine.certificates.authority}.crt`;
}

/** Where the API server puts the certificate that it makes for itself. */
export function servingCertificate(directory: string): string {
  return join(directory, "api-server", "apiserver.crt");
}

export function kubeconfigFile(directory: string): string {
  return join(directory, "kubeconfig.yaml");
}

export function admissionFile(directory: string): string {
  return join(directory, "admission.yaml");
}

export function kwokFile(directory: string): string {
  return join(directory, "kwok.yaml");
}

/** kwok's own descriptions of what a kubelet does: pods run at once, nodes become ready and stay so. */
const stageFolders = ["pod/fast", "node/fast", "node/heartbeat-with-lease"];

/** kwok's configuration, from its Go module: read once, then from the cache. */
export function kwokConfiguration(): string {
  const version = toolModules.flatMap(({ tools }) => tools).find(({ name }) => name === "kwok")?.version ?? "";
  const cached = join(cacheDirectory(), `kwok-stages-v${version}.yaml`);
  if (!existsSync(cached)) {
    const folder = join(moduleFolder("kwok", "sigs.k8s.io/kwok"), "kustomize/stage");
    const documents = stageFolders.flatMap((name) =>
      readdirSync(join(folder, name))
        .filter((file) => file.endsWith(".yaml") && file !== "kustomization.yaml")
        .sort()
        .map((file) => readFileSync(join(folder, name, file), "utf8").trim()),
    );
    writeFileWhole(cached, `${documents.join("\n---\n")}\n`, 0o644);
  }
  return readFileSync(cached, "utf8");
}

export function kubeconfigText(context: string, access: Access): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [
      {
        name: context,
        cluster: {
          server: access.server,
          "certificate-authority-data": Buffer.from(access.certificateAuthority).toString("base64"),
        },
      },
    ],
    users: [{ name: context, user: { token: access.token } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  });
}

export function logFile(directory: string, name: string): string {
  return join(directory, "logs", `${name}.log`);
}

function plan(
  inputs: ControlPlaneInputs,
  name: string,
  processArguments: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ProcessPlan {
  return {
    name,
    executable: toolPath(inputs.tools, name),
    arguments: processArguments,
    logFile: logFile(inputs.directory, name),
    // No program reads it. A process that was started for another address of the API server is started anew.
    environment: { KRAFT_API_SERVER_PORT: String(inputs.ports.apiServer), ...environment },
  };
}

export function etcdPlan(inputs: ControlPlaneInputs): ProcessPlan {
  const client = `http://127.0.0.1:${inputs.ports.etcdClient}`;
  const peer = `http://127.0.0.1:${inputs.ports.etcdPeer}`;
  return plan(inputs, "etcd", [
    `--data-dir=${join(inputs.directory, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // The cluster can be made anew at any time, so it need not wait for the disk.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ]);
}

export function apiServerPlan(inputs: ControlPlaneInputs): ProcessPlan {
  const { credentials, directory, machine, ports, stack } = inputs;
  const serverArguments = [
    `--etcd-servers=http://127.0.0.1:${ports.etcdClient}`,
    ...(machine === undefined
      ? [
          "--bind-address=127.0.0.1",
          "--advertise-address=127.0.0.1",
          // There is no node to reach the API server from, and a loopback address may not be an endpoint.
          "--endpoint-reconciler-type=none",
          `--cert-dir=${join(directory, "api-server")}`,
          "--authorization-mode=RBAC",
        ]
      : [
          "--bind-address=0.0.0.0",
          `--advertise-address=${machine.address}`,
          `--client-ca-file=${machine.certificates.authority}.crt`,
          `--tls-cert-file=${machine.certificates.server}.crt`,
          `--tls-private-key-file=${machine.certificates.server}.key`,
          `--kubelet-client-certificate=${machine.certificates.kubeletClient}.crt`,
          `--kubelet-client-key=${machine.certificates.kubeletClient}.key`,
          "--kubelet-preferred-address-types=InternalIP",
          // As k3s and Talos have it: a kubelet may write its own node and pods only.
          "--authorization-mode=Node,RBAC",
          "--enable-admission-plugins=NodeRestriction",
        ]),
    `--secure-port=${ports.apiServer}`,
    `--service-cluster-ip-range=${stack.network.serviceCidr}`,
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${credentials.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${credentials.serviceAccountPrivateKey}`,
    `--token-auth-file=${credentials.tokenFile}`,
    "--allow-privileged=true",
    `--admission-control-config-file=${admissionFile(directory)}`,
    ...apiServerArguments().map((argument) => `--${argument}`),
  ];
  return plan(inputs, "kube-apiserver", serverArguments, lessGarbageCollection);
}

export function controllerManagerPlan(inputs: ControlPlaneInputs): ProcessPlan {
  const { credentials, directory, machine, ports, stack } = inputs;
  return plan(inputs, "kube-controller-manager", [
    `--kubeconfig=${machine?.kubeconfig ?? kubeconfigFile(directory)}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${ports.controllerManager}`,
    "--leader-elect=false",
    // As k3s and Talos run it: each controller has a name that admission policies can tell from the others.
    "--use-service-account-credentials=true",
    "--allocate-node-cidrs=true",
    `--cluster-cidr=${stack.network.podCidr}`,
    `--service-cluster-ip-range=${stack.network.serviceCidr}`,
    `--service-account-private-key-file=${credentials.serviceAccountPrivateKey}`,
    `--root-ca-file=${authorityFile(inputs)}`,
    // A quota that appears together with its first pods can miss some of them until the next round; 5 min by default.
    "--resource-quota-sync-period=10s",
  ]);
}

export function schedulerPlan(inputs: ControlPlaneInputs): ProcessPlan {
  return plan(inputs, "kube-scheduler", [
    `--kubeconfig=${inputs.machine?.kubeconfig ?? kubeconfigFile(inputs.directory)}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${inputs.ports.scheduler}`,
    "--leader-elect=false",
  ]);
}

export function kwokPlan(inputs: ControlPlaneInputs): ProcessPlan {
  return plan(inputs, "kwok", [
    `--kubeconfig=${kubeconfigFile(inputs.directory)}`,
    `--config=${kwokFile(inputs.directory)}`,
    "--manage-all-nodes",
    "--node-lease-duration-seconds=40",
  ]);
}
