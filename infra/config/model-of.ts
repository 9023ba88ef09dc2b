import type { S3Location } from "../../components/plan/backup-store.ts";
import { wasabiEndpoint } from "../../components/plan/backup-store.ts";
import { defaultReplicas } from "../../components/plan/storage.ts";
import type { Stack } from "../../stacks/index.ts";
import { letsEncrypt } from "../checks/certificates.ts";
import type { ClusterNode, Load, Model, Tenant } from "../model.ts";
import { k3kReleases } from "../versions.ts";
import { defaultDailyChange } from "./keys/home.ts";
import { defaultUser } from "./keys/host.ts";
import type { ParsedConfig } from "./parse.ts";
import type { Config } from "./schema.ts";

const directories: Readonly<Record<string, string>> = letsEncrypt;

/** The model of a configuration that all rules hold for. */
export function modelOf(stack: Stack, config: Config): Model {
  const version = config.k3kVersion ?? stack.k3kVersion;
  const k3k = k3kReleases.find((release) => release.version === version);
  if (k3k === undefined) {
    throw new Error(`stacks/${stack.name}.ts names K3k ${version}, which infra/versions.ts does not know`);
  }
  const { issuer, network, backup, source } = config;
  const nodes = nodesOf(stack, config.nodes);
  const { managed } = backup;
  return {
    ...loadOf(stack, config),
    cluster: config.cluster,
    nodes,
    machines: machinesOf(stack, config),
    network: {
      ...stack.network,
      nodes: nodes.map(({ address }) => address),
      resolvers: network.resolvers,
      home: network.home,
    },
    domain: config.domain,
    contact: config.contact,
    notice: config.notice,
    hairpin: network.hairpin,
    entrypoint: `ingress.${config.domain}`,
    issuer: { directory: directories[issuer.server] ?? issuer.server, email: issuer.email },
    charts: config.charts,
    k3k,
    prices: config.prices,
    expiry: config.expiry,
    phase: config.phase,
    leaveOut: config.leaveOut,
    timezone: config.timezone,
    backup: { ...locationOf(backup), managed, replaces: backup.replaces },
    source: source && { ...locationOf(source), stack: source.stack },
    secrets: {
      wasabi: {
        accessKeyId: (managed ? config.wasabiAdminAccessKeyId : config.wasabiAccessKeyId) ?? "",
        secretAccessKey: (managed ? config.wasabiAdminSecretAccessKey : config.wasabiSecretAccessKey) ?? "",
      },
      guestTokenSeed: config.guestTokenSeed,
      alerts: {
        ntfyToken: config.alertNtfyToken,
        emailPassword: config.alertEmailPassword,
        webhookToken: config.alertWebhookToken,
      },
      source: source && {
        accessKeyId: config.sourceAccessKeyId ?? "",
        secretAccessKey: config.sourceSecretAccessKey ?? "",
      },
      sourceTokenSeed: config.sourceTokenSeed,
    },
  };
}

/** What the hardware and the line have to carry, as far as it is known: some keys may still be invalid. */
export function loadOf(stack: Stack, config: ParsedConfig["config"]): Load {
  const { alerts, capacity, dashboards, line, network, storage, tenants = {} } = config;
  return {
    stack,
    tenants: tenantsOf(tenants),
    entry: network?.entry,
    alerts,
    dashboards,
    replicas: storage?.replicas ?? defaultReplicas(stack.nodes.length),
    overcommit: capacity.overcommit,
    line,
    dailyChange: line?.dailyChange ?? defaultDailyChange,
  };
}

export function tenantsOf(tenants: Config["tenants"]): Tenant[] {
  return Object.entries(tenants)
    .map(([name, tenant]) => ({ name, ...tenant }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The nodes of a stack that has the hardware of its file, with addresses, host keys and drives. */
export function nodesOf(stack: Stack, written: Config["nodes"]): ClusterNode[] {
  return stack.nodes.map((node) => {
    // The stack has it already, in the form of stacks/.
    const { hardware: _, ...rest } = { address: "", ...written[node.name] };
    return { ...node, ...rest };
  });
}

/** The machines that Kraft manages; undefined where they are set up by hand. */
export function machinesOf(
  { distribution, nodes: [first] }: Stack,
  config: Pick<Config, "machines" | "nodes" | "machineKey" | "k3sToken" | "talosSecrets" | "diskPassphrase">,
): Model["machines"] {
  const { machines, machineKey = "", k3sToken = "", talosSecrets = "", diskPassphrase = "" } = config;
  if (machines === undefined || distribution === "embedded") {
    return undefined;
  }
  const { clusterInit, recoverFrom, again: rerunToken } = machines;
  if (distribution === "talos") {
    return {
      distribution,
      init: clusterInit ? "new" : recoverFrom === undefined ? "never" : { recoverFrom },
      rerunToken,
      secrets: { talosSecrets, diskPassphrase },
    };
  }
  return {
    distribution,
    user: machines.user ?? defaultUser,
    api: machines.api ?? config.nodes[first?.name ?? ""]?.address ?? "",
    clusterInit,
    sha256: machines.sha256 ?? {},
    rerunToken,
    secrets: { machineKey, k3sToken },
  };
}

/** A place of backups, at Wasabi unless the stack file names another server. */
export function locationOf({
  bucket,
  region,
  prefix,
  endpoint = wasabiEndpoint(region),
}: Pick<Config["backup"], "bucket" | "region" | "prefix" | "endpoint">): S3Location {
  return { bucket, region, prefix, endpoint };
}
