import { refuseOtherCluster } from "../cluster/client.ts";
import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { BackupSource } from "../components/backup-source.ts";
import { BackupStore } from "../components/backup-store.ts";
import { CertManager } from "../components/cert-manager.ts";
import { EtcdSnapshots } from "../components/etcd-snapshots.ts";
import { HostCluster } from "../components/host-cluster.ts";
import { MetalLb } from "../components/metallb.ts";
import { K3k } from "../components/k3k.ts";
import { Longhorn } from "../components/longhorn.ts";
import type { S3Key } from "../components/plan/s3.ts";
import { readable, tenantAllowance } from "../components/plan/size.ts";
import { RestoreDrill } from "../components/restore-drill.ts";
import { TenantBoundary } from "../components/tenant-boundary.ts";
import { Tenant } from "../components/tenant.ts";
import { Traefik } from "../components/traefik.ts";
import type { Staged } from "./guards/stages.ts";
import type { Model } from "./model.ts";
import { declareNodes } from "./nodes/declare.ts";
import { versions } from "./versions.ts";

/** What `pulumi stack output` shows. */
export interface PlatformOutputs {
  readonly entrypoint: string;
  readonly issuer: string;
  readonly tenants: Readonly<
    Record<
      string,
      {
        readonly namespace: string;
        readonly api: string;
        readonly domains: readonly string[];
        /** What the tenant's own pods and volumes may use. */
        readonly allowance: ReturnType<typeof readable>;
      }
    >
  >;
}

/** What a model comes to. */
export interface Platform {
  readonly outputs: PlatformOutputs;
  /** Charts whose CustomResourceDefinitions hold data. */
  readonly charts: readonly kubernetes.helm.v4.Chart[];
  /** Namespaces that hold data. */
  readonly namespaces: readonly kubernetes.core.v1.Namespace[];
}

/**
 * Declares everything a model asks for.
 *
 * @param staged How much of each tenant, as the guards let it through.
 * @throws ConfigError before anything is declared, if the cluster is not the one that the stack file names.
 */
export async function platform(model: Model, staged: readonly Staged[]): Promise<Platform> {
  const { stack, charts, domain, network } = model;
  const nodes = stack.nodes.length;
  const machines = model.machines && declareNodes(stack, model.nodes, model.machines, model.cluster);
  const host = new HostCluster(
    "host",
    { ...model.cluster, identifier: `kraft-${stack.name}` },
    // Nothing is asked of an API server that is about to be restarted.
    { dependsOn: [...(machines?.ready ?? [])] },
  );
  await rightCluster(host, model);
  const opts: pulumi.ComponentResourceOptions = { providers: [host.provider] };

  const metallb =
    model.entry === undefined
      ? undefined
      : new MetalLb("metallb", { chart: versions.metallb, charts, address: model.entry, network }, opts);
  const traefik = new Traefik(
    "traefik",
    {
      ...(model.entry === undefined ? {} : { address: model.entry }),
      chart: versions.traefik,
      charts,
      imageTag: versions.traefik.image,
      exposure: stack.exposure,
      entrypoint: model.entrypoint,
      network,
    },
    { ...opts, dependsOn: [...(metallb?.ready ?? [])] },
  );
  const certManager = new CertManager(
    "cert-manager",
    {
      chart: versions.certManager,
      charts,
      nodes,
      ingressClassName: traefik.ingressClassName,
      ...model.issuer,
      hairpin: model.hairpin,
      network,
    },
    opts,
  );
  const wasabi = secretKey(model.secrets.wasabi);
  const store = model.backup.managed
    ? new BackupStore("backup-store", { ...model.backup, administrator: wasabi })
    : undefined;
  const { accessKeyId, secretAccessKey } = store ?? wasabi;
  const backup = { ...model.backup, accessKeyId, secretAccessKey };
  const longhorn = new Longhorn(
    "longhorn",
    {
      chart: versions.longhorn,
      charts,
      nodes,
      ...stack.storage,
      replicas: model.replicas,
      phase: model.phase,
      backup,
      network,
    },
    { ...opts, ...(store === undefined ? {} : { dependsOn: [store] }) },
  );
  if (model.machines?.distribution === "k3s") {
    new EtcdSnapshots("etcd-snapshots", backup, opts);
  }
  const { source, secrets } = model;
  if (source !== undefined && secrets.source !== undefined) {
    new BackupSource(
      `source-${source.stack}`,
      { ...source, ...secretKey(secrets.source) },
      { ...opts, dependsOn: [longhorn.chart] },
    );
  }
  const { securityContexts } = model.k3k;
  const k3k = new K3k("k3k", { chart: model.k3k, charts, network, securityContexts }, opts);
  new RestoreDrill("restore-drill", opts);
  const ingress = { ingressClassName: traefik.ingressClassName, issuerName: certManager.issuerName };
  const boundary = new TenantBoundary("boundary", ingress, { ...opts, dependsOn: [k3k.chart, certManager.chart] });

  const tenants = staged.map(({ tenant, stage, suspendedAt }) => {
    const api = `${tenant.name}.api.${domain}`;
    const { namespace } = new Tenant(
      `tenant-${tenant.name}`,
      {
        tenant: tenant.name,
        domains: tenant.domains,
        size: tenant.size,
        quota: tenant.quota,
        tier: tenant.tier,
        nodes,
        guestVersion: stack.guestVersion,
        network,
        ingress,
        apiHost: api,
        tokenSeed: pulumi.secret(tokenSeedOf(tenant, secrets)),
        stage,
        ...(suspendedAt === undefined ? {} : { suspendedAt }),
      },
      { ...opts, dependsOn: [traefik.chart, k3k.chart, ...boundary.guards, ...longhorn.storageClasses] },
    );
    const allowance = readable(tenantAllowance(tenant.size, tenant.quota));
    return [tenant.name, { namespace, api, domains: tenant.domains, allowance }] as const;
  });
  return {
    outputs: { entrypoint: model.entrypoint, issuer: certManager.issuerName, tenants: Object.fromEntries(tenants) },
    charts: [longhorn.chart, k3k.chart],
    namespaces: [longhorn.namespace],
  };
}

function secretKey({ accessKeyId, secretAccessKey }: S3Key): S3Key<pulumi.Output<string>> {
  return { accessKeyId: pulumi.secret(accessKeyId), secretAccessKey: pulumi.secret(secretAccessKey) };
}

/**
 * What a guest's token follows from: one that moved here keeps the token that its datastore was made with.
 *
 * @throws Error where a tenant moved here and there is no seed, which `validate` refuses.
 */
function tokenSeedOf({ name, from }: Model["tenants"][number], secrets: Model["secrets"]): string {
  const seed = from === undefined ? secrets.guestTokenSeed : secrets.sourceTokenSeed;
  if (seed === undefined) {
    throw new Error(`no seed for the token of ${name}, who moved here from ${from ?? "nowhere"}`);
  }
  return seed;
}

/** Waits for the cluster to say who it is; nothing is declared before. */
async function rightCluster(host: HostCluster, { stack, cluster }: Model): Promise<void> {
  const uid = await new Promise<string>((resolve) => host.uid.apply(resolve));
  refuseOtherCluster(`Pulumi.${stack.name}.yaml`, cluster, uid);
}
