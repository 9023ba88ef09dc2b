/**
 * The API by which MutatingAdmissionPolicies are declared. Of v1beta1 Pulumi's provider says at each run that Kubernetes 1.22
 * removed it (RemovedInVersion in provider/pkg/kinds of pulumi-kubernetes 4.25). From 1.36 on it is v1.
 */
export const mutatingPolicyApi = "admissionregistration.k8s.io/v1alpha1";

/**
 * What every API server of a host is told, on k3s, on Talos and embedded: MutatingAdmissionPolicies are a beta feature of
 * Kubernetes 1.34 and 1.35, and off (KEP 3962). Without them no pod of a tenant is accepted (`admission/raw-packets.ts`). The API
 * server itself reads v1beta1, and does not start with the feature alone.
 */
export const apiServerFlags = {
  "feature-gates": "MutatingAdmissionPolicy=true",
  "runtime-config": `admissionregistration.k8s.io/v1beta1=true,${mutatingPolicyApi}=true`,
} as const;

/** The flags as `name=value`. */
export function apiServerArguments(): string[] {
  return Object.entries(apiServerFlags).map(([name, value]) => `${name}=${value}`);
}
