/**
 * The API of MutatingAdmissionPolicies. Kubernetes 1.35 has it as v1beta1 too, of which Pulumi's provider says at each run that
 * Kubernetes 1.22 removed it (RemovedInVersion in provider/pkg/kinds of pulumi-kubernetes 4.25); from 1.36 on it is v1.
 */
export const mutatingPolicyApi = "admissionregistration.k8s.io/v1alpha1";

/**
 * What every API server of a host is told, on k3s, on Talos and embedded: MutatingAdmissionPolicies are a beta feature of
 * Kubernetes 1.34 and 1.35, and off (KEP 3962). Without them no pod of a tenant is accepted (`admission/raw-packets.ts`).
 */
export const apiServerFlags = {
  "feature-gates": "MutatingAdmissionPolicy=true",
  "runtime-config": `${mutatingPolicyApi}=true`,
} as const;

/** The flags as `name=value`. */
export function apiServerArguments(): string[] {
  return Object.entries(apiServerFlags).map(([name, value]) => `${name}=${value}`);
}
