import { stringify } from "yaml";
import {
  auditPolicy,
  fixedKeys,
  k3sConfiguration,
  k3sFiles,
  type K3sSettings,
  k3sUnit,
  kubeletConfiguration,
  podSecurityConfiguration,
} from "./k3s.ts";
import { podBridgeRules } from "./pod-bridges.ts";
import { modules, type NetworkDriver, type NodeFile, packages, systemFiles } from "./system.ts";

/** One machine of a k3s cluster. */
export interface K3sNode {
  readonly name: string;
  /** IPv4 address in the home's network. */
  readonly address: string;
  /** Drivers of its network cards that need help. */
  readonly networkDrivers: readonly NetworkDriver[];
}

/** What the scripts of all nodes have in common. */
export interface K3sClusterPlan {
  /** In the order in which they are set up and upgraded; the first may begin a cluster. */
  readonly nodes: readonly K3sNode[];
  readonly settings: K3sSettings;
  /** The release, for example `v1.35.6+k3s1`. */
  readonly version: string;
  /** Folder above the releases: `<url>/<version>/k3s`. */
  readonly releaseUrl: string;
  /** SHA-256 of the program, where the operator pins it; that of the release is compared in any case. */
  readonly sha256: { readonly amd64?: string; readonly arm64?: string };
  /** Whether the first node may begin a new cluster when no other answers. */
  readonly clusterInit: boolean;
  readonly longhorn: { readonly dataPath: string; readonly dedicatedDisk: boolean };
  /** Any text; when it changes, every node's script runs again. */
  readonly rerunToken?: string | undefined;
  readonly limits: typeof k3sLimits;
}

/** How long a node may take: together under an hour and a half, which is what Pulumi waits for one node. */
export const k3sLimits = {
  /** Mebibytes free on the system's file system and on that of k3s. */
  freeMebibytes: 2048,
  /** Seconds until a node must be healthy after k3s was started. */
  healthSeconds: 600,
  /** Seconds between two health checks. */
  healthInterval: 5,
  /** Seconds that a drain may take. */
  drainSeconds: 900,
  /** Seconds in which Longhorn must have all copies again after a drain. */
  volumeSeconds: 2700,
};

/** Where k3s publishes its releases. */
export const k3sReleases = "https://github.com/k3s-io/k3s/releases/download";

/** Minutes after which Pulumi gives a node up: download, drain, restart and rebuilt volumes with what they may take. */
export const nodeMinutes = 90;

/** Starts the script that comes on standard input, as root. It is short because Pulumi repeats it in every error. */
export const runScript = 'if [ "$(id -u)" = 0 ]; then exec bash -s; else exec sudo -n bash -s; fi';

/** Runs a script that is given as text and whose secrets come on standard input, as root. */
export function runWithSecret(script: string): string {
  const text = quote(script);
  return `if [ "$(id -u)" = 0 ]; then exec bash -c ${text}; else exec sudo -n bash -c ${text}; fi`;
}

/**
 * The whole script of one node: its numbers and names, Kraft's functions, the last of which is `main`, the files it
 * gets, and the call of `main`. The same plan always gives the same text, and none of it is secret.
 */
export function nodeScript(plan: K3sClusterPlan, node: K3sNode, functions: readonly string[]): string {
  const first = plan.nodes[0]?.name === node.name;
  const peers = plan.nodes.filter(({ name }) => name !== node.name).map(({ address }) => address);
  const { limits, longhorn } = plan;
  return [
    "#!/usr/bin/env bash",
    ...(plan.rerunToken === undefined ? [] : [`# ${plan.rerunToken.replaceAll(/\s+/g, " ")}`]),
    "set -euo pipefail",
    variable("NODE", node.name),
    variable("VERSION", plan.version),
    variable("RELEASE_URL", plan.releaseUrl),
    `declare -rA SHA256=([amd64]=${quote(plan.sha256.amd64 ?? "")} [arm64]=${quote(plan.sha256.arm64 ?? "")})`,
    variable("CLUSTER_INIT", first && plan.clusterInit ? 1 : 0),
    list("PEERS", peers),
    list("FIXED_KEYS", fixedKeys),
    list("PACKAGES", packages(node.networkDrivers)),
    list("MODULES", modules),
    variable("LONGHORN_PATH", longhorn.dataPath),
    variable("LONGHORN_DEDICATED", longhorn.dedicatedDisk ? 1 : 0),
    variable("FREE_MIB", limits.freeMebibytes),
    variable("HEALTH_SECONDS", limits.healthSeconds),
    variable("HEALTH_INTERVAL", limits.healthInterval),
    variable("DRAIN_SECONDS", limits.drainSeconds),
    variable("VOLUME_SECONDS", limits.volumeSeconds),
    "",
    ...functions.map((text) => `${text.trimEnd()}\n`),
    shellFunction("put_system_files", systemFiles(node.networkDrivers).map(put)),
    shellFunction("k3s_config", [heredoc("cat", yaml(k3sConfiguration(plan.settings)))]),
    shellFunction("put_k3s_files", [
      `k3s_config | put ${k3sFiles.config} 600 k3s`,
      ...k3sNodeFiles(plan, node).map(put),
    ]),
    // A command of the script that reads its standard input must not read the rest of the script.
    "main </dev/null",
    "",
  ].join("\n");
}

function k3sNodeFiles({ settings }: K3sClusterPlan, node: K3sNode): NodeFile[] {
  const file = (path: string, mode: string, content: string): NodeFile => ({ path, mode, group: "k3s", content });
  return [
    file(k3sFiles.node, "600", yaml({ "node-name": node.name, "node-ip": node.address })),
    file(k3sFiles.podSecurity, "600", yaml(podSecurityConfiguration())),
    file(k3sFiles.auditPolicy, "600", yaml(auditPolicy())),
    file(k3sFiles.kubelet, "644", yaml(kubeletConfiguration())),
    file(k3sFiles.podBridges, "644", podBridgeRules(settings.clusterDns)),
    file(k3sFiles.unit, "644", k3sUnit),
  ];
}

function yaml(value: unknown): string {
  return `# Written by Kraft: change it in the program, not here.\n${stringify(value, { lineWidth: 0 })}`;
}

function put({ path, mode, group, content }: NodeFile): string {
  return heredoc(`put ${path} ${mode} ${group}`, content);
}

function heredoc(command: string, content: string): string {
  return `${command} <<'END_OF_FILE'\n${content.trimEnd()}\nEND_OF_FILE`;
}

function shellFunction(name: string, body: readonly string[]): string {
  // Not indented: a heredoc's lines are its content.
  return `${name}() {\n${body.join("\n")}\n}\n`;
}

function variable(name: string, value: string | number): string {
  return `readonly ${name}=${quote(String(value))}`;
}

function list(name: string, values: readonly string[]): string {
  return `readonly ${name}=(${values.map(quote).join(" ")})`;
}

/** A text as one word of a shell. */
function quote(text: string): string {
  return /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
