import { createHmac } from "node:crypto";
import { stringify } from "yaml";
import type { GuestLimits } from "./admission/guest-rules.ts";
import type { IngressSettings } from "./admission/ingresses.ts";
import { guestPolicies } from "./admission/policies.ts";
import { allAtOnce, bindingSpec, policySpec } from "./admission/policy.ts";

/**
 * Which of a guest's objects K3k copies to the host, and which of the host's into the guest. Cluster and policy must both
 * say it: K3k reads ingresses from the one and storage classes from the other, and a policy without a `sync` block gets
 * K3k's defaults.
 *
 * The Secrets of an Ingress' `tls` keep their names on the host, everything else is renamed. Traefik serves the
 * certificates of all tenants from one store: if these were renamed too, a tenant could put their own Secret in the place
 * of cert-manager's, with a certificate for somebody else's host. As it is, only cert-manager can write them: they end in
 * `-tls`, which no name that K3k makes does (`plan/admission/ingresses.ts` and `kubelet.ts`).
 *
 * Priority classes stay off, since they apply to the whole cluster.
 *
 * @param storageClasses Labels of the storage classes that the guest sees.
 */
export function syncConfig(storageClasses: Readonly<Record<string, string>>) {
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
 * The token of a guest's K3s. It encrypts the guest's bootstrap data, so a guest cannot be restored from a backup without
 * it: derived from one secret outside the cluster, it cannot be lost with the cluster.
 */
export function guestToken(seed: string, tenant: string): string {
  return createHmac("sha256", seed).update(`k3s token of tenant ${tenant}`).digest("hex");
}

/**
 * Manifests that K3s applies inside the guest, by file name, as the data of the addons Secret: the host's ingress
 * class, which K3k does not copy, as the default; and the boundary's rules, so that a tenant is told of them when they
 * apply an object.
 */
export function guestManifests(
  settings: IngressSettings,
  tenant: string,
  domains: readonly string[],
  limits: GuestLimits,
): Record<string, string> {
  const policies = guestPolicies(settings, tenant, domains, limits);
  // Of several warnings the API server sends each.
  const admission = policies
    .map((policy) => (policy.warns ? policy : allAtOnce(policy)))
    .flatMap((policy) => [
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
        spec: bindingSpec(policy),
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
