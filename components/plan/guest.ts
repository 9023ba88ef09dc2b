import { createHmac } from "node:crypto";
import { stringify } from "yaml";

/** Which of a guest's objects K3k copies to the host, and which of the host's into the guest. */
export type SyncConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * What K3k synchronises. It has to stand in the Cluster and in the policy alike: K3k reads ingresses from the one and
 * storage classes from the other, and a policy without a `sync` block counts as one with K3k's defaults.
 *
 * TLS secrets are renamed on the host like everything else: under its own name a tenant's Ingress could have
 * cert-manager write over any Secret of the namespace, K3k's included. Priority classes stay off: they are of the whole
 * cluster.
 */
export function syncConfig(storageClassLabel: string): SyncConfig {
  return {
    services: { enabled: true },
    configMaps: { enabled: true },
    secrets: { enabled: true },
    persistentVolumeClaims: { enabled: true },
    ingresses: { enabled: true, disableTLSSecretTranslation: false },
    priorityClasses: { enabled: false },
    storageClasses: { enabled: true, selector: { [storageClassLabel]: "true" } },
  };
}

/**
 * The token of a guest's K3s. It encrypts the guest's bootstrap data, so that a guest cannot be opened from a backup
 * without it: derived from one secret that lives outside the cluster, it cannot burn with it.
 */
export function guestToken(seed: string, tenant: string): string {
  return createHmac("sha256", seed).update(`k3s token of tenant ${tenant}`).digest("hex");
}

/**
 * Manifests that K3s applies inside the guest: the host's ingress class, which K3k does not copy, as the default.
 *
 * @returns File names and their YAML, as the data of the addons Secret.
 */
export function guestManifests(ingressClass: string): Record<string, string> {
  return {
    "ingress-class.yaml": stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: ingressClass, annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
      spec: { controller: "traefik.io/ingress-controller" },
    }),
  };
}
