import * as kubernetes from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import {
  type AdmissionPolicy,
  bindingSpec,
  type MutatingPolicy,
  mutatingPolicySpec,
  policySpec,
} from "./plan/admission/policy.ts";

/**
 * Declares an admission policy and the binding that puts it into force.
 *
 * @param name Logical name of the policy; that of the binding begins with it.
 * @returns the binding: whatever depends on it is created under the policy
 */
export function declarePolicy(
  name: string,
  policy: AdmissionPolicy,
  opts: CustomResourceOptions,
): kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding {
  const declared = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
    name,
    { metadata: { name: policy.name }, spec: policySpec(policy) },
    opts,
  );
  return new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
    `${name}-binding`,
    { metadata: { name: policy.name }, spec: bindingSpec(policy) },
    { ...opts, dependsOn: [declared] },
  );
}

/**
 * Declares a policy that changes objects, and the binding that puts it into force.
 *
 * @param name Logical name of the policy; that of the binding begins with it.
 * @returns the binding: whatever depends on it is created under the policy
 */
export function declareMutatingPolicy(
  name: string,
  policy: MutatingPolicy,
  opts: CustomResourceOptions,
): kubernetes.admissionregistration.v1alpha1.MutatingAdmissionPolicyBinding {
  const metadata = { name: policy.name };
  const declared = new kubernetes.admissionregistration.v1alpha1.MutatingAdmissionPolicy(
    name,
    { metadata, spec: mutatingPolicySpec(policy) },
    opts,
  );
  return new kubernetes.admissionregistration.v1alpha1.MutatingAdmissionPolicyBinding(
    `${name}-binding`,
    { metadata, spec: { policyName: policy.name } },
    { ...opts, dependsOn: [declared] },
  );
}
