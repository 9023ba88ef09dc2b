import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { guestManifests, guestToken, syncConfig } from "./plan/guest.ts";
import { domainsAnnotation, policyLabel, tenantLabel, tenantNames } from "./plan/names.ts";
import { NetworkBoundary } from "./network-boundary.ts";
import type { IngressSettings } from "./plan/admission/ingresses.ts";
import {
  hasGuest,
  isStopped,
  leavingConfigMap,
  leavingFor,
  suspendedAtAnnotation,
  suspendedNodeSelector,
  type Stage,
} from "./plan/lifecycle.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import type { NetworkRules } from "./plan/network/policy.ts";
import { tenantPolicies } from "./plan/network/tenant-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";
import {
  datastoreStorage,
  k3kQuota,
  kubeletMemory,
  limitRange,
  objectQuota,
  podQuota,
  priorityClasses,
  serverMemory,
  tenantAllowance,
  type QuotaOverride,
  type Size,
} from "./plan/size.ts";
import { classLimits, tenantClasses, type TierName } from "./plan/storage.ts";

/** What a Tenant is made of. */
export interface TenantArgs {
  readonly tenant: string;
  /** Domains that the tenant's Ingresses may use, with all their subdomains. */
  readonly domains: readonly string[];
  readonly size: Size;
  /** What the tenant's own pods and volumes may use, in place of the size's. */
  readonly quota?: QuotaOverride;
  /** How well the tenant's volumes may be kept at most; a guest's datastore stays in the class that it was made in. */
  readonly tier: TierName;
  /** Nodes of the host cluster: K3k runs a kubelet for the tenant on each. */
  readonly nodes: number;
  /** Image tag of the guest's K3s. */
  readonly guestVersion: string;
  /** The host's networks; a guest in shared mode must use the same. */
  readonly network: HostNetwork & { readonly clusterDns: string };
  readonly ingress: IngressSettings;
  /** Host name under which the guest's API server is reached through Traefik. */
  readonly apiHost: string;
  /** The one secret that every guest's K3s token is derived from. */
  readonly tokenSeed: pulumi.Input<string>;
  /** How much of the tenant is declared. */
  readonly stage: Stage;
  /** Since when a tenant is suspended that was active before, as RFC 3339. */
  readonly suspendedAt?: string;
}

/**
 * One tenant: a namespace on the host with its quotas and NetworkPolicies, the policy that K3k binds to it, and the guest
 * cluster in shared mode. What its objects may say is the `TenantBoundary`'s matter.
 *
 * Deleting the Cluster or its namespace deletes every volume claim of the guest. Both are protected, and stay in the
 * cluster even when they leave the program; none of their fields that would force a replacement can be configured. Only
 * the stages `closing` and `removing` lift that, for the run after.
 */
export class Tenant extends pulumi.ComponentResource {
  /** Name of the namespace on the host. */
  readonly namespace: string;

  constructor(name: string, args: TenantArgs, opts?: pulumi.ComponentResourceOptions) {
    // Everything of a tenant is protected, what holds no data too: when a tenant leaves the program by mistake, Pulumi
    // refuses to delete what is protected but goes on to delete the rest.
    const stays = args.stage !== "removing";
    super("kraft:index:Tenant", name, {}, { ...opts, protect: stays });
    const names = tenantNames(args.tenant);
    const part: pulumi.CustomResourceOptions = { parent: this, protect: stays };
    const keep: pulumi.CustomResourceOptions = { ...part, retainOnDelete: stays };
    const labels = { [tenantLabel]: args.tenant };
    const sync = syncConfig(tenantClasses(args.tier).selector);
    const allowance = tenantAllowance(args.size, args.quota);
    this.namespace = names.namespace;

    const policy = new kubernetes.apiextensions.CustomResource(
      `${name}-policy`,
      {
        apiVersion: "k3k.io/v1beta1",
        kind: "VirtualClusterPolicy",
        metadata: { name: names.policy, labels },
        spec: {
          allowedMode: "shared",
          podSecurityAdmissionLevel: podSecurity.tenant.level,
          // It allows far too much and cannot be narrowed, since policies only ever add. Ours stand in its place.
          disableNetworkPolicy: true,
          defaultPriorityClass: priorityClasses.tenant,
          quota: podQuota(isStopped(args.stage) ? { ...allowance, pods: 0 } : allowance),
          limit: { limits: limitRange(allowance) },
          sync,
        },
      },
      keep,
    );
    // Pod Security labels are K3k's to set: it removes all others at every reconcile.
    const namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: names.namespace,
          labels: { ...labels, [policyLabel]: names.policy },
          annotations: {
            [domainsAnnotation]: args.domains.join(","),
            // K3k labels the namespace after it wrote quota and limit range: whatever depends on the namespace waits for
            // both, so that no pod of the guest is ever created without them.
            "pulumi.com/waitFor": `jsonpath={.metadata.labels["pod-security.kubernetes.io/enforce"]}=${podSecurity.tenant.level}`,
            "pulumi.com/timeoutSeconds": "300",
          },
        },
      },
      { ...keep, dependsOn: [policy] },
    );
    const inNamespace = { namespace: names.namespace, labels };
    const quotas = [
      ["k3k", k3kQuota(args.nodes)],
      ["objects", objectQuota(allowance, classLimits(args.tier, datastoreStorage))],
    ] as const;
    const boundary = [
      ...quotas.map(
        ([what, spec]) =>
          new kubernetes.core.v1.ResourceQuota(
            `${name}-quota-${what}`,
            {
              metadata: { name: `kraft-${what}`, ...inNamespace },
              spec: spec as unknown as kubernetes.types.input.core.v1.ResourceQuotaSpec,
            },
            { ...part, dependsOn: [namespace] },
          ),
      ),
      new NetworkBoundary(
        `${name}-network`,
        { namespace: names.namespace, labels, policies: this.#policies(args) },
        { ...part, dependsOn: [namespace] },
      ),
      // Kubernetes makes it with every namespace, and would mount its token into every pod that says nothing. It makes it
      // anew as soon as it is deleted, and Pulumi may then wait for its end for ten minutes: it goes with the namespace.
      new kubernetes.core.v1.ServiceAccount(
        `${name}-service-account`,
        { metadata: { name: "default", ...inNamespace }, automountServiceAccountToken: false },
        { ...part, retainOnDelete: true, dependsOn: [namespace] },
      ),
    ];
    const token = new kubernetes.core.v1.Secret(
      `${name}-token`,
      {
        metadata: { name: names.tokenSecret, ...inNamespace },
        // A changed token locks the guest out of its own datastore: immutable, so that a changed seed is a replacement,
        // which the protection refuses.
        immutable: true,
        stringData: { token: pulumi.output(args.tokenSeed).apply((seed) => guestToken(seed, args.tenant)) },
      },
      { ...keep, dependsOn: [namespace] },
    );
    const within = [policy, namespace, token, ...boundary];
    const guest = hasGuest(args.stage) ? this.#declareGuest(name, args, [namespace, token, ...boundary]) : [];
    const leaving = leavingFor(args.stage);
    if (leaving !== undefined) {
      new kubernetes.core.v1.ConfigMap(
        `${name}-leaving`,
        { metadata: { name: leavingConfigMap, ...inNamespace }, data: { state: leaving } },
        { parent: this, protect: false, dependsOn: [...within, ...guest] },
      );
    }
    this.registerOutputs({ namespace: this.namespace });
  }

  /** A stopped tenant keeps its policies, and none of them opens anything. */
  #policies({ tenant, network, stage }: TenantArgs): readonly NetworkRules[] {
    const policies = tenantPolicies(tenant, network);
    return isStopped(stage)
      ? policies.map(({ ingress, egress, ...rules }) => ({
          ...rules,
          ...(ingress === undefined ? {} : { ingress: [] }),
          ...(egress === undefined ? {} : { egress: [] }),
        }))
      : policies;
  }

  #declareGuest(name: string, args: TenantArgs, boundary: readonly pulumi.Resource[]): pulumi.Resource[] {
    const names = tenantNames(args.tenant);
    const inNamespace = { namespace: names.namespace, labels: { [tenantLabel]: args.tenant } };
    const stays = args.stage !== "closing";
    const part: pulumi.CustomResourceOptions = { parent: this, protect: stays, dependsOn: [...boundary] };
    const classes = tenantClasses(args.tier);
    const addons = new kubernetes.core.v1.Secret(
      `${name}-addons`,
      {
        metadata: { name: names.addonsSecret, ...inNamespace },
        stringData: guestManifests(args.ingress, args.tenant, args.domains, classes.allowed),
      },
      part,
    );
    const cluster = new kubernetes.apiextensions.CustomResource(
      `${name}-cluster`,
      {
        apiVersion: "k3k.io/v1beta1",
        kind: "Cluster",
        metadata: {
          name: names.cluster,
          ...inNamespace,
          ...(args.suspendedAt === undefined ? {} : { annotations: { [suspendedAtAnnotation]: args.suspendedAt } }),
        },
        spec: {
          mode: "shared",
          ...(isStopped(args.stage) ? { nodeSelector: suspendedNodeSelector } : {}),
          version: args.guestVersion,
          servers: 1,
          agents: 0,
          clusterCIDR: args.network.podCidr,
          serviceCIDR: args.network.serviceCidr,
          clusterDNS: args.network.clusterDns,
          tlsSANs: [args.apiHost],
          tokenSecretRef: { name: names.tokenSecret, namespace: names.namespace },
          persistence: {
            type: "dynamic",
            storageClassName: classes.datastore,
            storageRequestSize: datastoreStorage,
          },
          serverLimit: { memory: serverMemory },
          workerLimit: { memory: kubeletMemory },
          addons: [{ secretNamespace: names.namespace, secretRef: names.addonsSecret }],
          sync: syncConfig(classes.selector),
        },
      },
      {
        ...part,
        retainOnDelete: stays,
        dependsOn: [...boundary, addons],
        // K3k cannot move a datastore to another class; it would refuse its own StatefulSet for ever.
        ignoreChanges: ["spec.persistence.storageClassName"],
      },
    );
    const api = new kubernetes.apiextensions.CustomResource(
      `${name}-api`,
      {
        apiVersion: "traefik.io/v1alpha1",
        kind: "IngressRouteTCP",
        metadata: { name: `${args.tenant}-api`, ...inNamespace },
        spec: {
          entryPoints: ["websecure"],
          routes: [{ match: `HostSNI(\`${args.apiHost}\`)`, services: [{ name: names.apiService, port: 443 }] }],
          // The guest's API server authenticates clients by certificate, so TLS must end there.
          tls: { passthrough: true },
        },
      },
      part,
    );
    return [addons, cluster, api];
  }
}
