import { domainProblems } from "./checks/domains.ts";
import { nodeProblems } from "./checks/nodes.ts";
import { replicaProblems } from "./checks/storage.ts";
import { tenantNameProblems } from "./checks/tenant-names.ts";
import { k3kVersionProblems } from "./checks/versions.ts";
import { defaultReplicas } from "../components/plan/storage.ts";
import type { Stack } from "../stacks/index.ts";
import type { Model, Tenant } from "./model.ts";
import { k3kReleases } from "./versions.ts";
import { parse, type ParsedConfig, type RawConfig } from "./config/parse.ts";
import { report, show, type Problem } from "./problem.ts";
import type { Config } from "./config/schema.ts";

/** Let's Encrypt's directories (letsencrypt.org/docs). */
const directories: Readonly<Record<string, string>> = {
  production: "https://acme-v02.api.letsencrypt.org/directory",
  staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
};

/** A stack file, or what the operator chose on the command line, cannot be used. The message is meant for them. */
export class ConfigError extends Error {}

/**
 * The model of one stack.
 *
 * @param name The stack as `pulumi -s` names it.
 * @throws ConfigError naming every problem there is.
 */
export function validate(name: string, known: ReadonlyMap<string, Stack>, raw: RawConfig): Model {
  const stack = known.get(name);
  if (stack === undefined) {
    throw new ConfigError(report(`Stack ${name}`, [unknownStack(name, known)]));
  }
  const parsed = parse(raw);
  const problems = [...parsed.problems, ...crossProblems(stack, parsed)];
  if (problems.length > 0) {
    throw new ConfigError(report(`Pulumi.${name}.yaml`, problems));
  }
  return modelOf(stack, parsed.config as Config);
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
function crossProblems(stack: Stack, { config, claims }: ParsedConfig): Problem[] {
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
    network: {
      ...stack.network,
      nodes: stack.nodes.map(({ name }) => config.nodes[name]?.address ?? ""),
      resolvers: config.network.resolvers,
      home: config.network.home ?? [],
    },
    domain: config.domain,
    entrypoint: `ingress.${config.domain}`,
    issuer: { directory: directories[server] ?? server, ...(email === undefined ? {} : { email }) },
    charts: config.charts,
    k3k,
    replicas: config.storage?.replicas ?? defaultReplicas(stack.nodes.length),
    backup: config.backup,
    tenants: Object.entries(config.tenants)
      .map(([name, tenant]) => tenantOf(name, tenant))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    secrets: {
      wasabiAccessKeyId: config.wasabiAccessKeyId,
      wasabiSecretAccessKey: config.wasabiSecretAccessKey,
      guestTokenSeed: config.guestTokenSeed,
    },
  };
}

function tenantOf(name: string, { domains, size, quota }: Config["tenants"][string]): Tenant {
  return { name, domains, size, quota: quota ?? {} };
}
