import { z } from "zod";
import { alerts, dashboards } from "./keys/alerts.ts";
import { backup, source } from "./keys/backup.ts";
import { contact, expiry, line, notice, prices } from "./keys/home.ts";
import { cluster, machines, network, node } from "./keys/host.ts";
import { capacity, charts, guestVersion, issuer, phaseNames, storage, timezone } from "./keys/platform.ts";
import { secrets } from "./keys/secrets.ts";
import { type stateNames, tenant } from "./keys/tenant.ts";
import { choice, domainIn, domainPattern, expect, placeholder, text } from "./keys/values.ts";

/** Every key of the `kraft:` namespace, in the order in which a stack file lists them. */
export const configSchema = z.strictObject({
  cluster: cluster.describe("The host cluster, and the proof that it is the right one"),
  nodes: z
    .record(z.string(), node, expect("a map of the stack's nodes by name", "see docs/first-steps.md"))
    .describe("Where each node is, and what hardware it has"),
  network: network.describe("Your home's network, as far as the boundary around tenants has to know it"),
  machines: machines
    .optional()
    .describe("Lets Kraft keep the machines themselves. Without it they are set up by hand."),
  domain: text(
    new RegExp(domainPattern.source.replace("^", `^(?!.*${placeholder.domain.source})`)),
    expect("a domain of your own in lower case; names under .invalid are placeholders", (found) => {
      const meant = domainIn(found);
      const isMeant = meant !== undefined && !placeholder.domain.test(meant);
      return `pulumi config set kraft:domain ${isMeant ? meant : "<your domain>"}`;
    }),
  ).describe("The platform's own domain: ingress.<domain> is the entrypoint that tenants point a CNAME at"),
  contact: contact
    .optional()
    .describe(
      'Whom tenants ask, and how, in one line, for example "Eva Meier, eva@meier.example": their sheet says it',
    ),
  notice: notice
    .optional()
    .describe(
      "What you plan that all tenants should know, in one line: they read it in their guests after the next up",
    ),
  issuer: issuer.describe("The certificate authority behind the ClusterIssuer kraft-issuer"),
  charts,
  k3kVersion: z
    .string(expect("a version of K3k", "leave the key out to run the stack's own"))
    .optional()
    .describe("Version of K3k instead of the stack's own"),
  guestVersion: guestVersion
    .optional()
    .describe("Version of the K3s in every guest instead of the stack's own, for example v1.35.6-k3s1"),
  phase: choice(phaseNames)
    .default("run")
    .describe("run, or restore: the platform without schedules and guests, until the backups are back. Default: run"),
  timezone: timezone
    .optional()
    .describe("Time zone in which schedules are shown, for example Europe/Berlin. Default: that of the machine"),
  leaveOut: z
    .array(
      text(
        /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
        expect("the name of a volume", "copy it from: npx kraft restore plan"),
      ),
      expect("a list of volumes", "for example `kraft:leaveOut: [pvc-6f0c2a]`"),
    )
    .default([])
    .describe("Volumes in the backups that are not to come back: a rebuild goes on without them"),
  storage: storage.optional().describe("How volumes are kept"),
  capacity: capacity.describe("How much may be promised to tenants"),
  backup: backup.describe("Where Longhorn's backups go"),
  source: source
    .optional()
    .describe("Where the backups of the stack lie that tenants move here from; see docs/moving.md"),
  line: line.optional().describe("Your internet line. With it, a preview says whether backups get through in a night."),
  prices: prices
    .optional()
    .describe("What electricity and Wasabi cost. With it, a preview says what each tenant costs."),
  alerts: alerts
    .optional()
    .describe("Where you are told what is wrong. With it, the platform is watched; see docs/monitoring.md"),
  dashboards: dashboards
    .optional()
    .describe("grafana: pages that show what is watched, for you alone; only with kraft:alerts. Default: none"),
  expiry: expiry.describe(
    "Days that you keep in mind, by name: a preview warns 30 days before each. recoveryKit is the day on which you " +
      "last checked the recovery kit, and is warned of after 90 days.",
  ),
  tenants: z
    .record(z.string(), tenant, expect("a map of tenants by name", "for example `kraft:tenants: {}`"))
    .describe("Tenants by name: each gets a guest cluster"),
  ...secrets,
});

/** Keys whose value must be encrypted in the stack file. */
export const secretKeys: ReadonlySet<string> = new Set(Object.keys(secrets));

export const tenantSchema = tenant;

export type Config = z.output<typeof configSchema>;
export type TenantConfig = z.output<typeof tenant>;
export type StateName = (typeof stateNames)[number];
export type Phase = (typeof phaseNames)[number];
