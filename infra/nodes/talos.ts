import type { Stack } from "../../stacks/index.ts";
import type { Config } from "../config/schema.ts";

/** A machine on Talos as the operator declared it. */
export interface TalosMachines {
  readonly address: string;
  readonly drives: { readonly system: string; readonly longhorn: string };
  readonly init: "never" | "new" | { readonly recoverFrom: string };
  readonly again: string | undefined;
  /** In clear text: whoever passes one on marks it secret first. */
  readonly secrets: { readonly talosSecrets: string; readonly diskPassphrase: string };
}

/** The keys of a stack file that a machine on Talos is made of. */
export type TalosConfig = Pick<Config, "machines" | "nodes" | "talosSecrets" | "diskPassphrase">;

/** Undefined where the machine is set up by hand, or runs something else. The configuration was checked before. */
export function talosMachinesOf(stack: Stack, config: TalosConfig): TalosMachines | undefined {
  const { machines } = config;
  const node = config.nodes[stack.nodes[0]?.name ?? ""];
  if (stack.distribution !== "talos" || machines === undefined || node?.drives === undefined) {
    return undefined;
  }
  const { clusterInit, recoverFrom, again } = machines;
  return {
    address: node.address,
    drives: node.drives,
    init: clusterInit === true ? "new" : recoverFrom === undefined ? "never" : { recoverFrom },
    again,
    secrets: { talosSecrets: config.talosSecrets ?? "", diskPassphrase: config.diskPassphrase ?? "" },
  };
}
