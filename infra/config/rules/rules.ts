import { reservedTenantNames, tenantNameLimit, tenantNamePattern } from "../../../components/plan/names.ts";
import { closest } from "../../../errors/closest.ts";
import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import { k3kReleases } from "../../versions.ts";
import type { ParsedConfig } from "../parse.ts";
import type { Config } from "../schema.ts";
import { entryProblems, nodeAddressProblems } from "./addresses.ts";
import { alertProblems } from "./alerts.ts";
import { domainProblems } from "./domains.ts";
import { hardwareProblems } from "./hardware.ts";
import { machineProblems } from "./machines.ts";
import { moveSourceProblems } from "./move-source.ts";
import { portProblems } from "./ports.ts";
import { backupKeyProblems } from "./secrets.ts";

/**
 * Every rule that concerns more than one key, or the stack's hardware. Each runs on the keys that are valid by
 * themselves, so that all problems of a file are found at once.
 */
export function ruleProblems(stack: Stack, stacks: readonly string[], parsed: ParsedConfig): Problem[] {
  const { config, claims, problems } = parsed;
  return [
    ...tenantNameProblems(claims.map(({ name }) => name)),
    ...domainProblems(claims, config.domain),
    ...portProblems(config),
    ...nodeAddressProblems(stack, config),
    ...hardwareProblems(stack, config),
    ...entryProblems(stack, config),
    ...machineProblems(stack, config, problems),
    ...backupKeyProblems(config, problems),
    ...alertProblems(config, problems),
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
  const meant = closest(k3kVersion ?? "", known, 1);
  return listIf(k3kVersion !== undefined && !known.includes(k3kVersion), {
    key: "kraft:k3kVersion",
    found: show(k3kVersion),
    allowed: known.join(", "),
    fix: `${meant === undefined ? "" : `write ${meant}, or `}remove the key to run the stack's own version`,
  });
}

/** Every tenant's name must be usable, unhashed, in every name that K3k and Longhorn derive from it. */
export function tenantNameProblems(names: readonly string[]): Problem[] {
  return names.flatMap((name) => {
    const problem = (allowed: string, fix: string) => [
      { key: `kraft:tenants.${name}`, found: show(name), allowed, fix },
    ];
    if (!tenantNamePattern.test(name)) {
      return problem(
        "lower-case letters and digits, a letter first; no hyphen, since Traefik joins names with hyphens",
        "rename the tenant, for example " + suggestion(name),
      );
    }
    if (name.length > tenantNameLimit) {
      return problem(
        `at most ${tenantNameLimit} characters; K3k's claim varlibrancherk3s-k3k-<name>-server-0 must fit 63`,
        `shorten it by ${name.length - tenantNameLimit}`,
      );
    }
    if (reservedTenantNames.has(name)) {
      return problem(`any name but ${[...reservedTenantNames].join(", ")}`, "choose the tenant's own name");
    }
    return [];
  });
}

function suggestion(name: string): string {
  const letters = name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")
    .replace(/^[0-9]+/, "");
  return letters === "" ? "acme" : letters.slice(0, tenantNameLimit);
}
