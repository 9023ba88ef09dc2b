import { tiers } from "../storage.ts";
import { certificatePolicy } from "./certificates.ts";
import { claimPolicy } from "./claims.ts";
import type { GuestLimits } from "./guest-rules.ts";
import { guestHints } from "./hints.ts";
import { ingressPolicy, type IngressSettings, ingressWarnings } from "./ingresses.ts";
import {
  connectPolicy,
  guestPriorityClassPolicy,
  guestSecretPolicy,
  nodePolicy,
  priorityClassPolicy,
  secretPolicy,
  writePolicy,
} from "./kubelet.ts";
import { guestPolicy, namespacePolicy, unknownTenantPolicy } from "./namespaces.ts";
import { guestPodPolicy, guestTemplatePolicy, hostPodPolicy } from "./pods.ts";
import type { AdmissionPolicy, MutatingPolicy } from "./policy.ts";
import { rawPacketsPolicy } from "./raw-packets.ts";
import { seccompPolicy } from "./seccomp.ts";
import { servicePolicy } from "./services.ts";

const storageClasses = tiers.map((tier) => tier.storageClass);

/** What is changed in every pod of a tenant before the policies below judge it. */
export const hostMutations: readonly MutatingPolicy[] = [rawPacketsPolicy, seccompPolicy];

/** Every admission policy of the host that judges, the same for all tenants. */
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
    claimPolicy(storageClasses),
    ingressPolicy(settings),
    certificatePolicy(settings.issuerName),
  ];
}

/**
 * The policies inside a guest, which tell a tenant at `kubectl apply` what the host would refuse, ignore or never do. A tenant
 * may delete them: the host's policies still apply, and so does its quota on storage classes that are not among those of
 * `limits`. `allAtOnce` makes each tell of everything in one message.
 */
export function guestPolicies(
  settings: IngressSettings,
  tenant: string,
  domains: readonly string[],
  limits: GuestLimits = { classes: storageClasses },
): readonly AdmissionPolicy[] {
  return [
    guestPodPolicy(tenant, limits),
    guestTemplatePolicy(tenant, limits),
    servicePolicy("everywhere"),
    claimPolicy(limits.classes, limits),
    ingressPolicy(settings, domains),
    guestSecretPolicy,
    guestPriorityClassPolicy,
    ingressWarnings(settings),
    ...guestHints,
  ].map(unlessDeleted);
}

/**
 * Else nobody could take K3k's finalizers from an object that a new rule, or a domain that was taken, would refuse: it could never
 * be deleted, nor could its namespace.
 */
function unlessDeleted(policy: AdmissionPolicy): AdmissionPolicy {
  const expression = "object == null || !has(object.metadata.deletionTimestamp)";
  return { ...policy, conditions: [{ name: "not-being-deleted", expression }, ...(policy.conditions ?? [])] };
}
