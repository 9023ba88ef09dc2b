import { z } from "zod";
import { notice } from "./home.ts";
import { ports } from "./ports.ts";
import { bytes, choice, day, domain, expect, integer, stackName, text } from "./values.ts";

/** Sizes are named here and given numbers in `components/plan/size.ts`. */
export const sizeNames = ["small", "medium", "large"] as const;

/** Tiers are named here and described in `components/plan/storage.ts`. */
export const tierNames = ["standard", "critical", "bulk"] as const;

/** The stages of a tenant's life, in order; see docs/offboarding.md. */
export const stateNames = ["active", "suspended", "archived", "purged"] as const;

const cpuExpectation = expect(
  "CPUs as a Kubernetes quantity",
  "write cores or thousandths, for example 2, 1.5 or 500m",
);
const cpu = z
  .union([z.string(), z.number()], cpuExpectation)
  .transform(String)
  .pipe(text(/^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9])$/, cpuExpectation));

export const quota = z.strictObject(
  {
    cpu: cpu.optional().describe("CPU that the tenant's pods may request together, for example 2 or 1500m"),
    memory: bytes("4Gi").optional().describe("Memory that the tenant's pods may request together, for example 6Gi"),
    storage: bytes("4Gi").optional().describe("Size of all the tenant's volumes together, for example 80Gi"),
    pods: integer(1, 500, expect("a whole number from 1 to 500", "write the number of pods, for example 40"))
      .optional()
      .describe("Number of the tenant's pods"),
  },
  expect("a map with cpu, memory, storage or pods", "for example `quota: { memory: 8Gi }`"),
);

/** One entry of `kraft:tenants`. */
export const tenant = z.strictObject(
  {
    domains: z
      .array(domain, expect("a list of domains", "for example `domains: [acme.example]`"))
      .min(1, expect("at least one domain", "for example `domains: [acme.example]`"))
      .describe("The tenant's own domains. Each covers its subdomains; no two tenants may share or nest one."),
    size: choice(sizeNames).describe("Quota and limits by name"),
    quota: quota.default({}).describe("What replaces the size's allowance; what K3k itself needs comes on top"),
    ports: ports.describe(
      "Ports beside 80 and 443 that lead to the tenant's Services, for example `25565/tcp: games/minecraft:25565`; the " +
        "home's router has to forward each. Default: none",
    ),
    notice: notice
      .optional()
      .describe("What you plan that this tenant should know, in one line: read in the guest after the next up"),
    tier: choice(tierNames)
      .default("standard")
      .describe(
        "The best kept class of volumes that the tenant may use, and how its guest's datastore is kept. Default: standard",
      ),
    state: choice(stateNames)
      .default("active")
      .describe(
        "active; suspended: nothing runs, all data stays; archived: only backups are left; purged: forgotten. Default: active",
      ),
    from: stackName
      .optional()
      .describe(
        "The stack that the tenant moves here from: the guest starts once `kraft move` has brought its data. It stays in the file",
      ),
    purge: day
      .optional()
      .describe(
        "Today's date: confirms that a tenant in state purged loses everything in the cluster. Good for two days",
      ),
  },
  expect(
    "a map with domains, size and, where needed, tier, quota, ports, notice, state, from and purge",
    "for example `{ domains: [acme.example], size: small }`",
  ),
);
