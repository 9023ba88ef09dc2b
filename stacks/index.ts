import { homelab } from "./homelab.ts";
import { local } from "./local.ts";
import { proliant } from "./proliant.ts";
import type { Stack } from "./stack.ts";

/** Every stack there is, by the name that `pulumi -s` takes. */
export const stacks: ReadonlyMap<string, Stack> = new Map(
  [homelab, proliant, local].map((stack) => [stack.name, stack]),
);

export type { NodeHardware, Stack } from "./stack.ts";
