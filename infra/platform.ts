import * as pulumi from "@pulumi/pulumi";
import { refuseOtherCluster } from "../cluster/client.ts";
import { BackupSource } from "../components/backup-source.ts";
import { BackupStore } from "../components/backup-store.ts";
import { CertManager } from "../components/cert-manager.ts";
import { DeletionPolicies } from "../components/deletion-policies.ts";
import { EtcdSnapshots } from "../components/etcd-snapshots.ts";
import { ownFields } from "../components/field-manager.ts";
import { HostCluster } from "../components/host-cluster.ts";
import { K3k } from "../components/k3k.ts";
import { Longhorn } from "../components/longhorn.ts";
import { MetalLb } from "../components/metallb.ts";
import { Monitoring } from "../components/monitoring.ts";
import type { S3Key } from "../components/plan/backup-store.ts";
import { refusedChanges } from "../components/plan/chart-values.ts";
import { hasGuest } from "../components/plan/lifecycle.ts";
import { metallbValues } from "../components/plan/metallb-values.ts";
import type { AlertSecrets } from "../components/plan/monitoring/alertmanager.ts";
import { objectProbes } from "../components/plan/monitoring/object-probes.ts";
import { tenantNames } from "../components/plan/names.ts";
import { readable, tenantAllowance } from "../components/plan/size.ts";
import { ingressClassName } from "../components/plan/traefik-values.ts";
import { RestoreDrill } from "../components/restore-drill.ts";
import { Tenant } from "../components/tenant.ts";
import { TenantBoundary } from "../components/tenant-boundary.ts";
import { TenantReports } from "../components/tenant-reports.ts";
import { Traefik } from "../components/traefik.ts";
import { ConfigError } from "../errors/problem.ts";
import { publicPorts } from "./checks/public-ports.ts";
import type { GuestRestarts } from "./guards/guest-restarts.ts";
import type { Staged } from "./guards/stages.ts";
import type { Model } from "./model.ts";
import { declareNodes } from "./nodes/declare.ts";
import { protectionOf } from "./protection.ts";
import { grafanaImage, kubectlImage, monitoringImages, versions } from "./versions.ts";
import { declaredWalls } from "./walls.ts";

/** What `pulumi stack output` shows. */
export type PlatformOutputs = Awaited<ReturnType<typeof platform>>["outputs"];

/** The guests that restart in this run, and how to wait until one of them is back. */
export interface Restarts extends Pick<GuestRestarts, "before" | "inTurn"> {
  /** @throws Failure where it does not come back. */
  readonly seeThrough: (tenant: string) => Promise<void>;
}

/**
 * Declares everything a model asks for, and of each tenant what the guards allow. Before that it throws a ConfigError
 * if the stack changes a chart value that it must not, or if the cluster is not the one that the stack file names.
 *
 * @param restarts Guests that are declared last, each once the one before it is back; if one is not, the rest keep what they
 *   have. Default: all at once
 */
export async function platform(model: Model, staged: readonly Staged[], restarts?: Restarts) {
  const { stack, domain, network, secrets, source } = model;
  const args = chartArgs(model);
  refuseChangedValues(stack, args);
  const machines = model.machines && declareNodes(stack, model.nodes, model.machines, model.cluster);
  const host = new HostCluster(
    "host",
    { ...model.cluster, identifier: `kraft-${stack.name}` },
    // Nothing is asked of an API server that is about to be restarted.
    { dependsOn: [...(machines?.ready ?? [])] },
  );
  // Nothing else is declared before the cluster has said which it is.
  const uid = await new Promise<string>((resolve) => host.uid.apply(resolve));
  refuseOtherCluster(`Pulumi.${stack.name}.yaml`, model.cluster, uid);
  const opts: pulumi.ComponentResourceOptions = { providers: [host.provider], transforms: [ownFields] };

  new DeletionPolicies("deletions", opts);
  const metallb = args.metallb && new MetalLb("metallb", args.metallb, opts);
  const traefik = new Traefik("traefik", args.traefik, { ...opts, dependsOn: [...(metallb?.ready ?? [])] });
  const certManager = new CertManager("cert-manager", args.certManager, opts);
  const administrator = secretKey(secrets.wasabi);
  const store = model.backup.managed ? new BackupStore("backup-store", { ...model.backup, administrator }) : undefined;
  const { accessKeyId, secretAccessKey } = store ?? administrator;
  const backup = { ...model.backup, accessKeyId, secretAccessKey };
  const longhorn = new Longhorn("longhorn", { ...args.longhorn, backup }, { ...opts, dependsOn: store && [store] });
  if (model.machines?.distribution === "k3s") {
    new EtcdSnapshots("etcd-snapshots", backup, opts);
  }
  if (source !== undefined && secrets.source !== undefined) {
    new BackupSource(
      `source-${source.stack}`,
      { ...source, ...secretKey(secrets.source) },
      { ...opts, dependsOn: [longhorn.chart] },
    );
  }
  const guests = staged.filter(({ stage }) => hasGuest(stage)).map(({ tenant }) => tenant.name);
  const k3k = new K3k("k3k", { ...args.k3k, guests }, opts);
  new RestoreDrill("restore-drill", opts);
  const ingress = { ingressClassName: traefik.ingressClassName, issuerName: certManager.issuerName };
  const boundary = new TenantBoundary("boundary", ingress, { ...opts, dependsOn: [k3k.chart, certManager.chart] });

  const apiOf = (tenant: string): string => `${tenant}.api.${domain}`;
  let monitoring: Monitoring | undefined;
  if (model.alerts !== undefined) {
    monitoring = new Monitoring(
      "monitoring",
      {
        images: monitoringImages,
        targets: model.alerts,
        secrets: secretsOf(secrets.alerts),
        tenants: staged
          .filter(({ stage }) => stage === "guest")
          .map(({ tenant: { name, size, quota } }) => ({
            tenant: name,
            namespace: tenantNames(name).namespace,
            apiHost: apiOf(name),
            allowance: tenantAllowance(size, quota),
          })),
        objects: objectProbes(declaredWalls({ ...model, alerts: model.alerts }, staged, ingress)),
        nodes: stack.nodes,
        network,
        dashboards: model.dashboards !== undefined,
      },
      { ...opts, dependsOn: [longhorn.chart] },
    );
    if (model.dashboards !== undefined) {
      // Only here, because Grafana's SDK takes a while to load.
      const { Dashboards } = await import("../components/dashboards.ts");
      new Dashboards("dashboards", { image: grafanaImage, nodes: stack.nodes }, { ...opts, dependsOn: [monitoring] });
    }
  }

  const declare = ({ tenant, ...state }: Staged): Tenant =>
    new Tenant(
      `tenant-${tenant.name}`,
      {
        ...tenant,
        tenant: tenant.name,
        nodes: stack.nodes.length,
        keepsAccounts: model.k3k.keepsAccounts ?? false,
        guestVersion: stack.guestVersion,
        network,
        ingress,
        apiHost: apiOf(tenant.name),
        terms: {
          contact: model.contact,
          notices: [model.notice, tenant.notice].filter((notice) => notice !== undefined),
          isMeasured: model.alerts !== undefined,
          ...protectionOf(model, tenant),
        },
        tokenSeed: pulumi.secret(tokenSeedOf(tenant, secrets)),
        ...state,
      },
      { ...opts, dependsOn: [traefik.chart, k3k.chart, ...boundary.guards, ...longhorn.storageClasses] },
    );
  const declaredByName = await inTurn(staged, declare, restarts);
  const tenants = staged.flatMap(({ tenant, stage }) => {
    const declared = declaredByName.get(tenant.name);
    return declared === undefined ? [] : [{ tenant, stage, declared }];
  });
  if (monitoring !== undefined) {
    const running = tenants.filter(({ stage }) => stage === "guest");
    new TenantReports(
      "reports",
      {
        image: kubectlImage,
        tenants: running.map(({ tenant, declared }) => ({ tenant: tenant.name, declared })),
        network,
        monitoring: monitoring.namespace,
      },
      opts,
    );
  }
  const outputs = tenants.map(({ tenant: { name, domains, size, quota }, declared: { namespace } }) => {
    // What the tenant's own pods and volumes may use.
    const allowance = readable(tenantAllowance(size, quota));
    return [name, { namespace, api: apiOf(name), domains, allowance }] as const;
  });
  return {
    outputs: { entrypoint: model.entrypoint, issuer: certManager.issuerName, tenants: Object.fromEntries(outputs) },
    charts: [longhorn.chart, k3k.chart],
    namespaces: [longhorn.namespace],
  };
}

/** Declares every tenant: those whose guests restart come last, each once the one before it is back. */
async function inTurn(
  staged: readonly Staged[],
  declare: (staged: Staged) => Tenant,
  restarts: Restarts = { before: [], inTurn: [], seeThrough: () => Promise.resolve() },
): Promise<ReadonlyMap<string, Tenant>> {
  const declared = new Map<string, Tenant>();
  const isWaiting = ({ tenant }: Staged): boolean => restarts.inTurn.includes(tenant.name);
  for (const each of staged.filter((each) => !isWaiting(each))) {
    declared.set(each.tenant.name, declare(each));
  }
  if (restarts.inTurn.length > 0) {
    await Promise.all(restarts.before.map(restarts.seeThrough));
  }
  for (const each of staged.filter(isWaiting)) {
    declared.set(each.tenant.name, declare(each));
    await restarts.seeThrough(each.tenant.name);
  }
  return declared;
}

/** Arguments of the components that install a chart. */
function chartArgs({ stack, charts, network, entry, entrypoint, issuer, hairpin, tenants, ...model }: Model) {
  const { nodes, exposure, storage, chartValues = {} } = stack;
  const common = { charts, network };
  const metallb = { ...common, chart: versions.metallb, changeValues: chartValues.metallb };
  return {
    metallb: entry === undefined ? undefined : { ...metallb, address: entry },
    traefik: {
      ...common,
      chart: versions.traefik,
      changeValues: chartValues.traefik,
      address: entry,
      imageTag: versions.traefik.image,
      exposure,
      entrypoint,
      publicPorts: publicPorts(tenants),
    },
    certManager: {
      ...common,
      chart: versions.certManager,
      changeValues: chartValues["cert-manager"],
      nodes: nodes.length,
      ...issuer,
      ingressClassName,
      hairpin,
    },
    longhorn: {
      ...common,
      chart: versions.longhorn,
      changeValues: chartValues.longhorn,
      nodes: nodes.length,
      ...storage,
      replicas: model.replicas,
      phase: model.phase,
      backup: model.backup,
    },
    k3k: { ...common, chart: model.k3k, changeValues: chartValues.k3k, securityContexts: model.k3k.securityContexts },
  };
}

/** @throws ConfigError naming every chart value that a hook of the stack must not change. */
function refuseChangedValues({ name }: Model["stack"], args: ReturnType<typeof chartArgs>): void {
  const problems = [
    ...refusedChanges("traefik", Traefik.values(args.traefik), args.traefik.changeValues),
    ...refusedChanges("cert-manager", CertManager.values(args.certManager), args.certManager.changeValues),
    ...refusedChanges("longhorn", Longhorn.values(args.longhorn), args.longhorn.changeValues),
    ...refusedChanges("k3k", K3k.values(args.k3k), args.k3k.changeValues),
    ...refusedChanges("metallb", metallbValues(), args.metallb?.changeValues),
  ];
  if (problems.length > 0) {
    throw new ConfigError(`stacks/${name}.ts`, problems);
  }
}

function secretsOf(alerts: Model["secrets"]["alerts"]): AlertSecrets<pulumi.Output<string> | undefined> {
  const of = (value: string | undefined) => (value === undefined ? undefined : pulumi.secret(value));
  return {
    ntfyToken: of(alerts.ntfyToken),
    emailPassword: of(alerts.emailPassword),
    webhookToken: of(alerts.webhookToken),
  };
}

function secretKey({ accessKeyId, secretAccessKey }: S3Key): S3Key<pulumi.Output<string>> {
  return { accessKeyId: pulumi.secret(accessKeyId), secretAccessKey: pulumi.secret(secretAccessKey) };
}

/** The seed of a guest's token: one that moved here keeps the token that its datastore was created with. */
function tokenSeedOf({ name, from }: Model["tenants"][number], secrets: Model["secrets"]): string {
  const seed = from === undefined ? secrets.guestTokenSeed : secrets.sourceTokenSeed;
  if (seed === undefined) {
    throw new Error(`no seed for the token of ${name}, who moved here from ${from ?? "nowhere"}`);
  }
  return seed;
}
