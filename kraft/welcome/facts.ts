import { issuerName } from "../../components/plan/cert-manager-values.ts";
import type { PublicPort } from "../../components/plan/ports.ts";
import { readable, tenantAllowance } from "../../components/plan/size.ts";
import { ingressClassName } from "../../components/plan/traefik-values.ts";
import type { Model } from "../../infra/model.ts";
import { type Kept, protectionOf } from "../../infra/protection.ts";
import { type TenantLimit, tenantLimits } from "./limits.ts";
import type { LiveFacts } from "./live.ts";

/**
 * What a tenant has to know, and nothing secret. `kraft welcome --json` prints it together with `sheet`, the Markdown.
 * Fields are added, never renamed or taken away.
 */
export interface WelcomeFacts {
  readonly tenant: string;
  /** URL of the guest's API server. */
  readonly api: string;
  /** Version of Kubernetes in the guest, as K3s names it. */
  readonly kubernetes: string;
  /** Whom the tenant asks, and how; null where the stack file does not say. */
  readonly contact: string | null;
  /** The name that the tenant's domains are a CNAME for. */
  readonly entrypoint: string;
  readonly domains: readonly string[];
  /** Ports beside 80 and 443 that lead to the tenant's Services. */
  readonly ports: readonly PublicPort[];
  /** What the tenant's own pods and volumes may use, as Kubernetes quantities. */
  readonly allowance: {
    readonly cpu: string;
    readonly memory: string;
    readonly storage: string;
    readonly pods: number;
  };
  /** Every limit, those of `allowance` among them. */
  readonly limits: readonly TenantLimit[];
  readonly ingressClass: string;
  readonly issuer: string;
  /** Whether browsers trust the certificates: those of a staging authority are for trying only. */
  readonly trustedCertificates: boolean;
  readonly storageClasses: readonly {
    readonly name: string;
    readonly isDefault: boolean;
    readonly snapshots: Kept;
    readonly backups: Kept;
  }[];
  /** Copies of each volume in the house. */
  readonly copies: number;
  readonly nodes: number;
  /** Region of Wasabi where the backups are. */
  readonly backupRegion: string;
  /** The storage class of the guest's own objects: Deployments, Secrets and the like. */
  readonly datastoreClass: string;
  readonly datastoreBackups: Kept;
  /** What the cluster says; null where it was not asked. */
  readonly live: LiveFacts | null;
}

/** The facts of one tenant of a model, with what the cluster says where it was asked. */
export function welcomeFacts(model: Model, name: string, live: LiveFacts | null = null): WelcomeFacts {
  const tenant = model.tenants.find((candidate) => candidate.name === name);
  if (tenant === undefined) {
    throw new RangeError(`the model has no tenant ${name}`);
  }
  const { classes, datastore } = protectionOf(model, tenant);
  const allowance = tenantAllowance(tenant.size, tenant.quota);
  return {
    tenant: name,
    api: `https://${name}.api.${model.domain}`,
    kubernetes: model.stack.guestVersion,
    contact: model.contact ?? null,
    entrypoint: model.entrypoint,
    domains: tenant.domains,
    ports: tenant.ports,
    allowance: readable(allowance),
    limits: tenantLimits(allowance),
    ingressClass: ingressClassName,
    issuer: issuerName,
    trustedCertificates: !model.issuer.directory.includes("staging"),
    storageClasses: classes,
    copies: model.replicas,
    nodes: model.stack.nodes.length,
    backupRegion: model.backup.region,
    datastoreClass: datastore.name,
    datastoreBackups: datastore.backups,
    live,
  };
}
