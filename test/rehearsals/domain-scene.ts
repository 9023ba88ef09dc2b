// Whom the rehearsal `domains` is about.
import { tenantNames } from "../../components/plan/names.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import type { LimitingAuthority } from "./limiting-authority.ts";
import type { Rehearsal } from "./rehearsal.ts";
import type { SecondAuthority } from "./second-authority.ts";
import { shop } from "./tenants.ts";

export const tenant = "acme";
export const other = "blue";
export const { namespace } = tenantNames(tenant);
export const domain = "acme.example";
export const site = `${shop}.${domain}`;

/** A domain that is acme's at first, and blue's in the end, and a name under it. */
export const taken = "shop.acme.test";
export const old = `www.${taken}`;

/** The tenants of the stack `local`, and who has the domain. */
export function tenantsWith(owner: typeof tenant | typeof other | undefined) {
  const domains = (name: string): string[] => [`${name}.example`, ...(owner === name ? [taken] : [])];
  return {
    "kraft:tenants": {
      [tenant]: { domains: domains(tenant), size: "small", tier: "critical" },
      [other]: { domains: domains(other), size: "medium" },
      coral: { domains: domains("coral"), size: "small" },
    },
  };
}

/** A home in which both tenants have moved in. */
export interface Scene {
  readonly rehearsal: Rehearsal;
  readonly home: EmbeddedHome;
  readonly authority: SecondAuthority;
  readonly limiting: LimitingAuthority;
  /** Keys of the stack file beside the tenants. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a visitor gets of a host. */
export function pageOf(home: EmbeddedHome, host: string): string {
  return home.visited(`https://${host}/`);
}
