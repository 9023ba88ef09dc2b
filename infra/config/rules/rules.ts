import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import { k3kReleases } from "../../versions.ts";
import type { ParsedConfig } from "../parse.ts";
import type { Config } from "../schema.ts";
import { backupKeyProblems } from "./backup-keys.ts";
import { domainProblems } from "./domains.ts";
import { entryProblems } from "./entry.ts";
import { machineProblems } from "./machines.ts";
import { moveSourceProblems } from "./move-source.ts";
import { nodeAddressProblems } from "./node-addresses.ts";
import { tenantNameProblems } from "./tenant-names.ts";

/**
 * Every rule that concerns more than one key, or the stack's hardware. Each runs on the keys that are valid by themselves,
 * so that all problems of a file are found at once.
 *
 * @param stacks Names of all stacks.
 */
export function ruleProblems(stack: Stack, stacks: readonly string[], parsed: ParsedConfig): Problem[] {
  const { config, claims, problems } = parsed;
  return [
    ...tenantNameProblems(claims.map(({ name }) => name)),
    ...domainProblems(claims, config.domain),
    ...nodeAddressProblems(stack, config),
    ...entryProblems(stack, config),
    ...machineProblems(stack, config, problems),
    ...backupKeyProblems(config, problems),
    ...purgeDateProblems(config),
    ...replicaProblems(stack, config),
    ...k3kVersionProblems(config),
    ...moveSourceProblems(stack.name, stacks, config, problems),
  ];
}

/** The date that confirms a purge belongs to a tenant that is purged, and to no other. */
function purgeDateProblems({ tenants = {} }: Partial<Config>): Problem[] {
  return Object.entries(tenants).flatMap(([name, { state, purge }]) =>
    listIf(purge !== undefined && state !== "purged", {
      key: `kraft:tenants.${name}.purge`,
      found: `${show(purge)}, and state ${state}`,
      allowed: "a day only beside `state: purged`",
      fix: "remove it",
    }),
  );
}

/** Copies of a volume are on different nodes: more copies than nodes would leave every volume degraded for ever. */
function replicaProblems(stack: Stack, { storage }: Partial<Config>): Problem[] {
  const nodes = stack.nodes.length;
  const replicas = storage?.replicas ?? 0;
  const on = nodes === 1 ? "this stack has one node" : `this stack has ${nodes} nodes`;
  return listIf(replicas > nodes, {
    key: "kraft:storage.replicas",
    found: show(replicas),
    allowed: `1 to ${nodes}: each copy is on a node of its own, and ${on}`,
    fix: `kraft:storage: { replicas: ${nodes} }, or remove the key`,
  });
}

/** A version of K3k must be one whose defects are known to Kraft. */
function k3kVersionProblems({ k3kVersion }: Partial<Config>): Problem[] {
  const known = k3kReleases.map(({ version }) => version);
  return listIf(k3kVersion !== undefined && !known.includes(k3kVersion), {
    key: "kraft:k3kVersion",
    found: show(k3kVersion),
    allowed: known.join(", "),
    fix: "remove the key to run the stack's own version",
  });
}
