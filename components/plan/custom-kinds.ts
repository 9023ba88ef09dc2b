import type { Input } from "@pulumi/pulumi";
import type { issuerSpec } from "./cert-manager-values.ts";
import type { syncConfig } from "./guest.ts";
import type { Limit, podQuota } from "./size.ts";
import type { Schedule } from "./storage.ts";

/**
 * The `spec` of every custom resource that Kraft declares, by kind: the fields that it sets, no others. What their
 * controllers report, and what the API server fills in, is in `cluster/`.
 */
export interface CustomKinds {
  readonly VirtualClusterPolicy: {
    readonly allowedMode: "shared";
    readonly podSecurityAdmissionLevel: "baseline" | "privileged" | "restricted";
    readonly disableNetworkPolicy: boolean;
    readonly defaultPriorityClass: string;
    readonly quota: ReturnType<typeof podQuota>;
    readonly limit: { readonly limits: readonly Limit[] };
    readonly sync: ReturnType<typeof syncConfig>;
  };
  readonly Cluster: {
    readonly mode: "shared";
    /** Where the guest's pods run; all nodes where it is left out. */
    readonly nodeSelector?: Readonly<Record<string, string>>;
    /** Image tag of the guest's K3s. */
    readonly version: string;
    readonly servers: number;
    readonly agents: number;
    readonly clusterCIDR: string;
    readonly serviceCIDR: string;
    readonly clusterDNS: string;
    readonly tlsSANs: readonly string[];
    readonly tokenSecretRef: { readonly name: string; readonly namespace: string };
    readonly persistence: {
      readonly type: "dynamic";
      readonly storageClassName: string;
      readonly storageRequestSize: string;
    };
    readonly serverLimit: { readonly memory: string };
    readonly workerLimit: { readonly memory: string };
    readonly addons: readonly { readonly secretNamespace: string; readonly secretRef: string }[];
    readonly sync: ReturnType<typeof syncConfig>;
  };
  readonly BackupTarget: {
    readonly backupTargetURL: string;
    readonly credentialSecret: Input<string>;
    /** As Longhorn writes a duration, for example `5m0s`: another spelling would be a change in every preview. */
    readonly pollInterval: string;
  };
  readonly RecurringJob: Schedule & { readonly labels: Readonly<Record<string, string>> };
  readonly ClusterIssuer: ReturnType<typeof issuerSpec>;
  readonly IngressRouteTCP: {
    readonly entryPoints: readonly string[];
    readonly routes: readonly {
      readonly match: string;
      readonly services: readonly { readonly name: string; readonly port: number }[];
    }[];
    readonly tls?: { readonly passthrough: boolean };
  };
  readonly IngressRouteUDP: {
    readonly entryPoints: readonly string[];
    readonly routes: readonly {
      readonly services: readonly { readonly name: string; readonly port: number }[];
    }[];
  };
  readonly IPAddressPool: { readonly addresses: readonly string[]; readonly autoAssign: boolean };
  readonly L2Advertisement: { readonly ipAddressPools: readonly string[] };
}

/** The API version in which each kind is declared. */
export const apiVersions = {
  VirtualClusterPolicy: "k3k.io/v1beta1",
  Cluster: "k3k.io/v1beta1",
  BackupTarget: "longhorn.io/v1beta2",
  RecurringJob: "longhorn.io/v1beta2",
  ClusterIssuer: "cert-manager.io/v1",
  IngressRouteTCP: "traefik.io/v1alpha1",
  IngressRouteUDP: "traefik.io/v1alpha1",
  IPAddressPool: "metallb.io/v1beta1",
  L2Advertisement: "metallb.io/v1beta1",
} as const satisfies Record<keyof CustomKinds, string>;
