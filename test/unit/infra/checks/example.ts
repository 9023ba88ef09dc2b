import type { Tenant } from "../../../../infra/model.ts";
import { type Stack, stacks } from "../../../../stacks/index.ts";

/** A stack that exists. */
export function stack(name: string): Stack {
  const found = stacks.get(name);
  if (found === undefined) {
    throw new Error(`there is no stack ${name}`);
  }
  return found;
}

/** A tenant as the model holds it. */
export function tenant(name: string, more: Partial<Tenant> = {}): Tenant {
  return {
    name,
    domains: [`${name}.example`],
    size: "small",
    quota: {},
    ports: [],
    tier: "standard",
    state: "active",
    ...more,
  };
}

/** The sample tenants of homelab and proliant. */
export const samples: readonly Tenant[] = [tenant("acme"), tenant("blue", { size: "medium" })];
