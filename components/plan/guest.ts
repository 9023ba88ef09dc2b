import { createHmac } from "node:crypto";
import { stringify } from "yaml";
import { guestPolicies } from "./admission/policies.ts";
import type { IngressSettings } from "./admission/ingresses.ts";
import { bindingSpec, policySpec } from "./admission/policy.ts";

/** Which of a guest's objects K3k copies to the host, and which of the host's into the guest. */
export type SyncConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * What K3k synchronises. It has to stand in the Cluster and in the policy alike: K3k reads ingresses from the one and
 * storage classes from the other, and a policy without a `sync` block counts as one with K3k's defaults.
 *
 * The Secrets of an Ingress' `tls` keep their names on the host, everything else is renamed. Traefik serves the
 * certificates of all tenants from one store: were these renamed too, a tenant could put a Secret of their own where
 * cert-manager's belongs, with a certificate for somebody else's host. Now only cert-manager can write them, since they
 * end in `-tls`, which no name that K3k gives does (`plan/admission/ingresses.ts` and `kubelet.ts`).
 *
 * Priority classes stay off: they are of the whole cluster.
 *
 * @param storageClasses Labels of the storage classes that the guest sees.
 */
export function syncConfig(storageClasses: Readonly<Record<string, string>>): SyncConfig {
  return {
    services: { enabled: true },
    configMaps: { enabled: true },
    secrets: { enabled: true },
    persistentVolumeClaims: { enabled: true },
    ingresses: { enabled: true, disableTLSSecretTranslation: true },
    priorityClasses: { enabled: false },
    storageClasses: { enabled: true, selector: storageClasses },
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
 * Manifests that K3s applies inside the guest: the host's ingress class, which K3k does not copy, as the default; and
 * the boundary's rules, so that a tenant hears of them when they apply an object.
 *
 * @param storageClasses Those that the tenant may use.
 * @returns File names and their YAML, as the data of the addons Secret.
 */
export function guestManifests(
  settings: IngressSettings,
  tenant: string,
  domains: readonly string[],
  storageClasses: readonly string[],
): Record<string, string> {
  const admission = guestPolicies(settings, tenant, domains, storageClasses).flatMap((policy) => [
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: policy.name },
      spec: policySpec(policy),
    },
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: policy.name },
      spec: bindingSpec(policy.name),
    },
  ]);
  return {
    "ingress-class.yaml": stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: {
        name: settings.ingressClassName,
        annotations: { "ingressclass.kubernetes.io/is-default-class": "true" },
      },
      spec: { controller: "traefik.io/ingress-controller" },
    }),
    "admission.yaml": admission.map((manifest) => stringify(manifest)).join("---\n"),
  };
}
