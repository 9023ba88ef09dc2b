import { tiers } from "../storage.ts";
import { certificatePolicy } from "./certificates.ts";
import { claimPolicy } from "./claims.ts";
import { ingressPolicy, type IngressSettings } from "./ingresses.ts";
import { connectPolicy, nodePolicy, priorityClassPolicy, secretPolicy, writePolicy } from "./kubelet.ts";
import { guestPolicy, namespacePolicy, unknownTenantPolicy } from "./namespaces.ts";
import { guestPodPolicy, hostPodPolicy } from "./pods.ts";
import type { AdmissionPolicy } from "./policy.ts";
import { servicePolicy } from "./services.ts";

const storageClasses = tiers.map((tier) => tier.storageClass);

/** Every admission policy of the host, the same for all tenants. */
export function hostPolicies(settings: IngressSettings): readonly AdmissionPolicy[] {
  return [
    namespacePolicy,
    unknownTenantPolicy,
    guestPolicy,
    writePolicy,
    connectPolicy,
    priorityClassPolicy,
    nodePolicy,
    secretPolicy,
    hostPodPolicy,
    servicePolicy("tenants"),
    claimPolicy("tenants", storageClasses),
    ingressPolicy(settings),
    certificatePolicy(settings.issuerName),
  ];
}

/**
 * The policies inside a guest, which tell a tenant at `kubectl apply` what the host would refuse. A tenant may delete them:
 * the host's policies still apply, and so does its quota on storage classes that are not among `classes`.
 */
export function guestPolicies(
  settings: IngressSettings,
  tenant: string,
  domains: readonly string[],
  classes: readonly string[] = storageClasses,
): readonly AdmissionPolicy[] {
  return [
    guestPodPolicy(tenant),
    servicePolicy("everywhere"),
    claimPolicy("everywhere", classes),
    ingressPolicy(settings, domains),
  ];
}
