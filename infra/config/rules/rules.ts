import type { Problem } from "../../../errors/problem.ts";
import type { Stack } from "../../../stacks/index.ts";
import type { ParsedConfig } from "../parse.ts";
import { backupKeyProblems } from "./backup-keys.ts";
import { domainProblems } from "./domains.ts";
import { entryProblems } from "./entry.ts";
import { k3kVersionProblems } from "./k3k-version.ts";
import { k3sMachineProblems } from "./k3s-machines.ts";
import { moveSourceProblems } from "./move-source.ts";
import { nodeAddressProblems } from "./node-addresses.ts";
import { purgeDateProblems } from "./purge-dates.ts";
import { replicaProblems } from "./replicas.ts";
import { talosMachineProblems } from "./talos-machines.ts";
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
    ...k3sMachineProblems(stack, config, problems),
    ...talosMachineProblems(stack, config, problems),
    ...backupKeyProblems(config, problems),
    ...purgeDateProblems(config),
    ...replicaProblems(stack, config),
    ...k3kVersionProblems(config),
    ...moveSourceProblems(stack.name, stacks, config, problems),
  ];
}
