import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { customResource } from "./custom-resource.ts";
import { NetworkBoundary } from "./network-boundary.ts";
import type { IngressSettings } from "./plan/admission/ingresses.ts";
import { deletionPermission } from "./plan/deletion-permission.ts";
import { guestManifests, guestToken, syncConfig } from "./plan/guest.ts";
import {
  hasGuest,
  isStopped,
  leavingConfigMap,
  leavingFor,
  leavingKeys,
  namespaceWaitSeconds,
  type Stage,
  suspendedAtAnnotation,
  suspendedNodeSelector,
} from "./plan/lifecycle.ts";
import { domainsAnnotation, policyLabel, tenantLabel, tenantNames } from "./plan/names.ts";
import type { HostNetwork } from "./plan/network/host-network.ts";
import { closed } from "./plan/network/policy.ts";
import { tenantPolicies } from "./plan/network/tenant-policies.ts";
import { podSecurity } from "./plan/pod-security.ts";
import { entryPointName, type PublicPort, tcpRoute, udpRoute } from "./plan/ports.ts";
import {
  datastoreStorage,
  k3kQuota,
  kubeletMemory,
  largestOfTenant,
  limitRange,
  objectQuota,
  podQuota,
  priorityClasses,
  type QuotaOverride,
  serverMemory,
  type Size,
  tenantAllowance,
} from "./plan/size.ts";
import { classLimits, tenantClasses, type TierName } from "./plan/storage.ts";
import { type TenantTerms, termsFile, termsManifest } from "./plan/tenant-terms.ts";

export interface TenantArgs {
  /** Name of the tenant, which all names of its objects follow from. It never changes. */
  readonly tenant: string;
  /**
   * Domains that the tenant's Ingresses may use, with all their subdomains.
   *
   * @example ["acme.example"]
   */
  readonly domains: readonly string[];
  readonly size: Size;
  /**
   * What the tenant's own pods and volumes may use.
   *
   * @default the size's allowance
   * @example { cpu: "3", storage: "80Gi" }
   */
  readonly quota?: QuotaOverride;
  /** The best tier of storage that the tenant may use. A guest's datastore stays in the class that it was created in. */
  readonly tier: TierName;
  /** Number of nodes of the host cluster: K3k runs a kubelet for the tenant on each. */
  readonly nodes: number;
  /**
   * Whether the release of K3k leaves the name of a service account on a pod that mounts no token.
   *
   * @default false
   */
  readonly keepsAccounts?: boolean;
  /**
   * Image tag of the guest's K3s.
   *
   * @example "v1.35.6-k3s1"
   */
  readonly guestVersion: string;
  /** The host's networks; a guest in shared mode must use the same. */
  readonly network: HostNetwork & { readonly clusterDns: string };
  readonly ingress: IngressSettings;
  /**
   * Host name under which the guest's API server is reached through Traefik.
   *
   * @example "acme.api.kraft.example"
   */
  readonly apiHost: string;
  /**
   * Ports of the home's public address that lead to the tenant's Services. Traefik has to have an entry point for each
   * (`TraefikArgs.publicPorts`).
   *
   * @default none
   * @example [{ port: 25565, protocol: "tcp", service: { namespace: "games", name: "minecraft" }, servicePort: 25565 }]
   */
  readonly ports?: readonly PublicPort[];
  /**
   * What the tenant can read in the guest about allowance, backups and plans.
   *
   * @default nothing
   */
  readonly terms?: TenantTerms;
  /** The one secret that every guest's K3s token is derived from. */
  readonly tokenSeed: pulumi.Input<string>;
  /** How much of the tenant is declared. */
  readonly stage: Stage;
  /**
   * When the tenant was suspended, as RFC 3339.
   *
   * @default it was not
   */
  readonly suspendedAt?: string | undefined;
  /**
   * In the stages `closing` and `removing`: the day from which the API server lets the next run delete, for two days.
   *
   * @default it does not
   * @example "2026-11-28"
   */
  readonly deletionPermittedOn?: string | undefined;
}

/**
 * One tenant: a namespace on the host with its quotas and NetworkPolicies, the policy that K3k binds to it, and the guest
 * cluster in shared mode. What its objects may contain is up to the `TenantBoundary`.
 *
 * Deleting the Cluster or its namespace deletes every volume claim of the guest. Both are protected, and stay in the
 * cluster even when they leave the program; none of their fields that would force a replacement can be configured. Only
 * the stages `closing` and `removing` lift the protection, for the run after, and permit it the deletion.
 *
 * @example
 * new Tenant(
 *   "tenant-acme",
 *   {
 *     tenant: "acme",
 *     domains: ["acme.example"],
 *     size: "small",
 *     tier: "standard",
 *     nodes: 3,
 *     guestVersion: "v1.35.6-k3s1",
 *     network,
 *     ingress: { ingressClassName: "traefik", issuerName: "kraft-issuer" },
 *     apiHost: "acme.api.kraft.example",
 *     tokenSeed,
 *     stage: "guest",
 *   },
 *   { dependsOn: [traefik.chart, k3k.chart, ...boundary.guards, ...longhorn.storageClasses] },
 * );
 */
export class Tenant extends pulumi.ComponentResource {
  /** Name of the namespace on the host. */
  readonly namespace: string;
  /** Host name under which the guest's API server is reached. */
  readonly apiHost: string;
  /** Names of the tenant's objects on the host. */
  readonly names: ReturnType<typeof tenantNames>;

  constructor(name: string, args: TenantArgs, opts?: pulumi.ComponentResourceOptions) {
    // Everything of a tenant is protected, even what holds no data: if a tenant left the program by mistake, Pulumi would
    // refuse to delete what is protected but go on and delete the rest.
    const isProtected = args.stage !== "removing";
    super("kraft:index:Tenant", name, {}, { ...opts, protect: isProtected });
    const names = tenantNames(args.tenant);
    const childOptions: pulumi.CustomResourceOptions = { parent: this, protect: isProtected };
    const retainedOptions: pulumi.CustomResourceOptions = { ...childOptions, retainOnDelete: isProtected };
    const labels = { [tenantLabel]: args.tenant };
    const inNamespace = { namespace: names.namespace, labels };
    const allowance = tenantAllowance(args.size, args.quota);
    const stopped = isStopped(args.stage);
    const permission = isProtected ? undefined : deletionPermission(args.deletionPermittedOn);

    const policy = customResource(
      `${name}-policy`,
      "VirtualClusterPolicy",
      { name: names.policy, labels, annotations: permission },
      {
        allowedMode: "shared",
        podSecurityAdmissionLevel: podSecurity.tenant.level,
        // K3k's own allows far too much and cannot be narrowed, since policies only ever add. Ours replaces it.
        disableNetworkPolicy: true,
        defaultPriorityClass: priorityClasses.tenant,
        quota: podQuota(stopped ? { ...allowance, pods: 0 } : allowance),
        limit: { limits: limitRange(allowance) },
        sync: syncConfig(tenantClasses(args.tier).selector),
      },
      retainedOptions,
    );
    // Pod Security labels are K3k's to set: it removes all others at every reconcile.
    const namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: names.namespace,
          labels: { ...labels, [policyLabel]: names.policy },
          annotations: {
            // It counts for all that is in the namespace.
            ...permission,
            [domainsAnnotation]: args.domains.join(","),
            // K3k labels the namespace after it has written quota and limit range: whatever depends on the namespace waits
            // for both, so that no pod of the guest is ever created without them.
            "pulumi.com/waitFor": `jsonpath={.metadata.labels["pod-security.kubernetes.io/enforce"]}=${podSecurity.tenant.level}`,
            "pulumi.com/timeoutSeconds": String(namespaceWaitSeconds),
          },
        },
      },
      { ...retainedOptions, dependsOn: [policy] },
    );
    const afterNamespace = { ...childOptions, dependsOn: [namespace] };
    const quotas = {
      k3k: k3kQuota(args.nodes),
      objects: objectQuota(allowance, classLimits(args.tier, datastoreStorage)),
    };
    const policies = tenantPolicies(args.tenant, args.network);
    const boundary = [
      ...Object.entries(quotas).map(
        ([quota, spec]) =>
          new kubernetes.core.v1.ResourceQuota(
            `${name}-quota-${quota}`,
            { metadata: { name: `kraft-${quota}`, ...inNamespace }, spec },
            afterNamespace,
          ),
      ),
      new NetworkBoundary(
        `${name}-network`,
        // A stopped tenant keeps its policies, but none of them opens anything.
        { namespace: names.namespace, labels, policies: stopped ? policies.map(closed) : policies },
        afterNamespace,
      ),
      // Kubernetes creates it with every namespace, and would mount its token into every pod that does not say otherwise.
      // Kubernetes recreates it at once, and Pulumi could wait ten minutes for its deletion: so it goes with the namespace.
      new kubernetes.core.v1.ServiceAccount(
        `${name}-service-account`,
        { metadata: { name: "default", ...inNamespace }, automountServiceAccountToken: false },
        { ...afterNamespace, retainOnDelete: true },
      ),
    ];
    const token = new kubernetes.core.v1.Secret(
      `${name}-token`,
      {
        metadata: { name: names.tokenSecret, ...inNamespace },
        // A changed token locks the guest out of its own datastore. Immutable makes a changed seed a replacement, which
        // the protection refuses.
        immutable: true,
        stringData: { token: pulumi.output(args.tokenSeed).apply((seed) => guestToken(seed, args.tenant)) },
      },
      { ...retainedOptions, dependsOn: [namespace] },
    );
    const beforeGuest = [namespace, token, ...boundary];
    const guest = hasGuest(args.stage) ? this.#declareGuest(name, args, beforeGuest) : [];
    const leaving = leavingFor(args.stage);
    if (leaving !== undefined) {
      new kubernetes.core.v1.ConfigMap(
        `${name}-leaving`,
        {
          metadata: { name: leavingConfigMap, ...inNamespace },
          data: {
            [leavingKeys.state]: leaving,
            ...(args.deletionPermittedOn !== undefined && { [leavingKeys.permittedOn]: args.deletionPermittedOn }),
          },
        },
        { parent: this, protect: false, dependsOn: [policy, ...beforeGuest, ...guest] },
      );
    }
    this.namespace = names.namespace;
    this.apiHost = args.apiHost;
    this.names = names;
    this.registerOutputs({ namespace: this.namespace, apiHost: this.apiHost, names });
  }

  #declareGuest(name: string, args: TenantArgs, before: readonly pulumi.Resource[]): pulumi.Resource[] {
    const names = tenantNames(args.tenant);
    const inNamespace = { namespace: names.namespace, labels: { [tenantLabel]: args.tenant } };
    const isProtected = args.stage !== "closing";
    const childOptions: pulumi.CustomResourceOptions = { parent: this, protect: isProtected, dependsOn: [...before] };
    const classes = tenantClasses(args.tier);
    const allowance = tenantAllowance(args.size, args.quota);
    const limits = {
      classes: classes.allowed,
      largest: largestOfTenant(allowance),
      keepsAccounts: args.keepsAccounts ?? false,
    };
    const permission = isProtected ? undefined : deletionPermission(args.deletionPermittedOn);
    const suspended = args.suspendedAt === undefined ? undefined : { [suspendedAtAnnotation]: args.suspendedAt };
    const addons = new kubernetes.core.v1.Secret(
      `${name}-addons`,
      {
        metadata: { name: names.addonsSecret, ...inNamespace, annotations: permission },
        stringData: {
          ...guestManifests(args.ingress, args.tenant, args.domains, limits),
          ...(args.terms !== undefined && { [termsFile]: termsManifest(args.tenant, allowance, args.terms) }),
        },
      },
      childOptions,
    );
    const cluster = customResource(
      `${name}-cluster`,
      "Cluster",
      {
        name: names.cluster,
        ...inNamespace,
        ...((permission ?? suspended) && { annotations: { ...permission, ...suspended } }),
      },
      {
        mode: "shared",
        nodeSelector: isStopped(args.stage) ? suspendedNodeSelector : undefined,
        version: args.guestVersion,
        servers: 1,
        agents: 0,
        clusterCIDR: args.network.podCidr,
        serviceCIDR: args.network.serviceCidr,
        clusterDNS: args.network.clusterDns,
        tlsSANs: [args.apiHost],
        tokenSecretRef: { name: names.tokenSecret, namespace: names.namespace },
        persistence: { type: "dynamic", storageClassName: classes.datastore, storageRequestSize: datastoreStorage },
        serverLimit: { memory: serverMemory },
        workerLimit: { memory: kubeletMemory },
        addons: [{ secretNamespace: names.namespace, secretRef: names.addonsSecret }],
        sync: syncConfig(classes.selector),
      },
      {
        ...childOptions,
        retainOnDelete: isProtected,
        dependsOn: [...before, addons],
        // K3k cannot move a datastore to another class: its own StatefulSet would be refused for ever.
        ignoreChanges: ["spec.persistence.storageClassName"],
      },
    );
    const api = customResource(
      `${name}-api`,
      "IngressRouteTCP",
      { name: `${args.tenant}-api`, ...inNamespace },
      {
        entryPoints: ["websecure"],
        routes: [{ match: `HostSNI(\`${args.apiHost}\`)`, services: [{ name: names.apiService, port: 443 }] }],
        // The guest's API server authenticates clients by certificate, so TLS must end there.
        tls: { passthrough: true },
      },
      childOptions,
    );
    // A port that leaves the stack file is closed by the same run, and holds no data.
    const portOptions = { ...childOptions, protect: false };
    const ports = (args.ports ?? []).map((port) => {
      const suffix = entryPointName(port);
      const metadata = { name: `${args.tenant}-${suffix}`, ...inNamespace };
      return port.protocol === "tcp"
        ? customResource(`${name}-${suffix}`, "IngressRouteTCP", metadata, tcpRoute(args.tenant, port), portOptions)
        : customResource(`${name}-${suffix}`, "IngressRouteUDP", metadata, udpRoute(args.tenant, port), portOptions);
    });
    return [addons, cluster, api, ...ports];
  }
}
