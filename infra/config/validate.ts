import { backupProblems, lineDefaults } from "../checks/backup-window.ts";
import { capacityProblems } from "../checks/capacity.ts";
import { letsEncrypt } from "../checks/certificates.ts";
import { backupKeyProblems } from "./rules/backup-keys.ts";
import { domainProblems } from "./rules/domains.ts";
import { entryProblems } from "./rules/entry.ts";
import { machineProblems } from "./rules/k3s-machines.ts";
import { sourceProblems } from "./rules/move-source.ts";
import { nodeProblems } from "./rules/node-addresses.ts";
import { recoveryProblems } from "../checks/recovery.ts";
import { talosProblems } from "./rules/talos-machines.ts";
import { replicaProblems } from "./rules/replicas.ts";
import { tenantNameProblems } from "./rules/tenant-names.ts";
import { tenantStateProblems } from "./rules/purge-dates.ts";
import { k3kVersionProblems } from "../checks/versions.ts";
import { wasabiEndpoint } from "../../components/plan/longhorn-values.ts";
import { defaultReplicas } from "../../components/plan/storage.ts";
import type { Stack } from "../../stacks/index.ts";
import { machinesOf } from "../nodes/k3s.ts";
import type { Model, Tenant } from "../model.ts";
import { talosMachinesOf } from "../nodes/talos.ts";
import { k3kReleases } from "../versions.ts";
import { parse, type ParsedConfig, type RawConfig } from "./parse.ts";
import { ConfigError, refuse, show, type Problem } from "../../errors/problem.ts";
import type { Config } from "./schema.ts";

const directories: Readonly<Record<string, string>> = letsEncrypt;

/**
 * How many times CPU and pods are promised where the operator says nothing: as OpenStack's Nova does with CPU
 * (`initial_cpu_allocation_ratio`). Kubernetes allows quotas of more than there is, and gives it to who comes first.
 */
const defaultOvercommit = 4;

/**
 * The model of one stack. Whether its hardware carries it is said by `findings`, and enforced by `refuse`; of a file that
 * is wrong by itself both are said at once.
 *
 * @param name The stack as `pulumi -s` names it.
 * @throws ConfigError naming every problem there is.
 */
export function validate(name: string, known: ReadonlyMap<string, Stack>, raw: RawConfig): Model {
  const stack = known.get(name);
  if (stack === undefined) {
    throw new ConfigError(`Stack ${name}`, [unknownStack(name, known)]);
  }
  const parsed = parse(raw);
  const problems = [
    ...parsed.problems,
    ...crossProblems(stack, parsed),
    ...sourceProblems(name, [...known.keys()], parsed.config, parsed.problems),
  ];
  if (problems.length > 0) {
    refuse(name, [...problems, ...loadProblems(stack, parsed)]);
  }
  return modelOf(stack, parsed.config as Config);
}

/** What the hardware does not carry, of whatever is right by itself. */
function loadProblems(stack: Stack, { config }: ParsedConfig): Problem[] {
  const nodes = stack.nodes.length;
  const load = {
    stack,
    tenants: tenantsOf(config.tenants ?? {}),
    entry: config.network?.entry,
    replicas: Math.min(config.storage?.replicas ?? defaultReplicas(nodes), nodes),
    ...weights(config),
  };
  return [...capacityProblems(load), ...backupProblems(load), ...recoveryProblems(load)];
}

/** What the checks calculate with, each with its default. */
function weights({ capacity, line }: Partial<Config>): Pick<Model, "overcommit" | "line" | "dailyChange"> {
  return {
    overcommit: capacity?.overcommit ?? defaultOvercommit,
    line:
      line === undefined
        ? undefined
        : {
            uplinkMbps: line.uplinkMbps,
            downlinkMbps: line.downlinkMbps,
            backupShare: line.backupShare ?? lineDefaults.backupShare,
            roundTripMs: line.roundTripMs ?? lineDefaults.roundTripMs,
          },
    dailyChange: line?.dailyChange ?? lineDefaults.dailyChange,
  };
}

function unknownStack(name: string, known: ReadonlyMap<string, Stack>): Problem {
  return {
    key: "stack",
    found: show(name),
    allowed: [...known.keys()].join(", "),
    fix: "choose one with `pulumi stack select`, or describe new hardware in stacks/",
  };
}

/** Every check across keys, on whatever is right by itself. */
function crossProblems(stack: Stack, { config, claims, problems }: ParsedConfig): Problem[] {
  const nodes = stack.nodes.length;
  return [
    ...tenantNameProblems(claims.map(({ name }) => name)),
    ...domainProblems(claims, config.domain),
    ...(config.nodes === undefined
      ? []
      : nodeProblems(
          config.nodes,
          stack.nodes.map(({ name }) => name),
        )),
    ...entryProblems(stack, config),
    ...talosProblems(stack, config, problems),
    ...machineProblems(stack, config),
    ...backupKeyProblems(config, problems),
    ...tenantStateProblems(config.tenants ?? {}),
    ...replicaProblems(config.storage?.replicas ?? defaultReplicas(nodes), nodes),
    ...(config.k3kVersion === undefined ? [] : k3kVersionProblems(config.k3kVersion)),
  ];
}

function modelOf(stack: Stack, config: Config): Model {
  const version = config.k3kVersion ?? stack.k3kVersion;
  const k3k = k3kReleases.find((release) => release.version === version);
  if (k3k === undefined) {
    throw new Error(`stacks/${stack.name}.ts names K3k ${version}, which infra/versions.ts does not know`);
  }
  const { server, email } = config.issuer;
  return {
    stack,
    cluster: config.cluster,
    talos: talosMachinesOf(stack, config),
    machines: machinesOf(stack, config),
    network: {
      ...stack.network,
      nodes: stack.nodes.map(({ name }) => config.nodes[name]?.address ?? ""),
      resolvers: config.network.resolvers,
      home: config.network.home ?? [],
    },
    domain: config.domain,
    entry: config.network.entry,
    hairpin: config.network.hairpin ?? true,
    entrypoint: `ingress.${config.domain}`,
    issuer: { directory: directories[server] ?? server, ...(email === undefined ? {} : { email }) },
    charts: config.charts,
    k3k,
    replicas: config.storage?.replicas ?? defaultReplicas(stack.nodes.length),
    ...weights(config),
    prices: config.prices,
    expiry: config.expiry ?? {},
    phase: config.phase ?? "run",
    leaveOut: config.leaveOut ?? [],
    timezone: config.timezone,
    backup: {
      bucket: config.backup.bucket,
      region: config.backup.region,
      prefix: config.backup.prefix,
      endpoint: config.backup.endpoint ?? wasabiEndpoint(config.backup.region),
      managed: config.backup.managed ?? false,
      replaces: config.backup.replaces,
    },
    source: sourceOf(config.source),
    tenants: tenantsOf(config.tenants),
    secrets: {
      wasabi: wasabiKey(config),
      guestTokenSeed: config.guestTokenSeed,
      source:
        config.source === undefined
          ? undefined
          : { accessKeyId: config.sourceAccessKeyId ?? "", secretAccessKey: config.sourceSecretAccessKey ?? "" },
      sourceTokenSeed: config.sourceTokenSeed,
    },
  };
}

function tenantsOf(tenants: Config["tenants"]): Tenant[] {
  return Object.entries(tenants)
    .map(([name, tenant]) => tenantOf(name, tenant))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function tenantOf(name: string, tenant: Config["tenants"][string]): Tenant {
  const { domains, size, quota = {}, tier = "standard", state = "active", from, purge } = tenant;
  return {
    name,
    domains,
    size,
    quota,
    tier,
    state,
    ...(from === undefined ? {} : { from }),
    ...(purge === undefined ? {} : { purge }),
  };
}

/** Where the backups of the stack lie that tenants move here from, with Wasabi's own address where none is named. */
export function sourceOf(source: Config["source"]): Model["source"] {
  return source && { ...source, endpoint: source.endpoint ?? wasabiEndpoint(source.region) };
}

function wasabiKey(config: Config): Model["secrets"]["wasabi"] {
  const managed = config.backup.managed ?? false;
  return {
    accessKeyId: (managed ? config.wasabiAdminAccessKeyId : config.wasabiAccessKeyId) ?? "",
    secretAccessKey: (managed ? config.wasabiAdminSecretAccessKey : config.wasabiSecretAccessKey) ?? "",
  };
}
