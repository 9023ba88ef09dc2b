import type { Attack } from "./attack.ts";
import { ingressAttacks } from "./ingresses.ts";
import { letThroughOnce } from "./let-through-once.ts";
import { operatorAttacks } from "./operator.ts";
import { platformAttacks } from "./platform.ts";
import { podAttacks } from "./pods.ts";
import { claimAttacks, serviceAttacks } from "./services-and-claims.ts";

/** Everything that has been thought of to get past the boundary, by what is attacked. */
export const attacks: Readonly<Record<string, readonly Attack[]>> = {
  ingresses: [...ingressAttacks, ...letThroughOnce.ingresses],
  services: [...serviceAttacks, ...letThroughOnce.services],
  claims: [...claimAttacks, ...letThroughOnce.claims],
  pods: [...podAttacks, ...letThroughOnce.pods],
  platform: [...platformAttacks, ...letThroughOnce.platform],
  operator: operatorAttacks,
};
