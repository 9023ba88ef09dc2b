/**
 * What every API server of a host is told, on k3s, on Talos and embedded: MutatingAdmissionPolicies are part of Kubernetes from
 * 1.34 on and off until 1.36 (KEP 3962). Without them no pod of a tenant is accepted (`admission/raw-packets.ts`).
 */
export const apiServerFlags = {
  "feature-gates": "MutatingAdmissionPolicy=true",
  "runtime-config": "admissionregistration.k8s.io/v1beta1=true",
} as const;

/** The flags as `name=value`. */
export function apiServerArguments(): string[] {
  return Object.entries(apiServerFlags).map(([name, value]) => `${name}=${value}`);
}
