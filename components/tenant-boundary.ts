import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { IngressSettings } from "./plan/admission/ingresses.ts";
import { hostPolicies } from "./plan/admission/policies.ts";
import { bindingSpec, policySpec } from "./plan/admission/policy.ts";
import { priorityClasses, tenantPriority } from "./plan/size.ts";

/** What a TenantBoundary is made of. */
export type TenantBoundaryArgs = IngressSettings;

/**
 * What the host's API server lets tenants do, for all of them at once: admission policies that look at everything that
 * comes from a guest, and the priority class that tells its pods from the platform's.
 *
 * Nothing of a tenant may be created before it. What keeps their pods apart on the network is in each namespace, a
 * `NetworkBoundary`.
 */
export class TenantBoundary extends pulumi.ComponentResource {
  /** Resources that must be there before the first tenant. */
  readonly guards: readonly pulumi.Resource[];

  constructor(name: string, args: TenantBoundaryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:TenantBoundary", name, {}, opts);
    const priorityClass = new kubernetes.scheduling.v1.PriorityClass(
      `${name}-priority`,
      {
        metadata: { name: priorityClasses.tenant },
        value: tenantPriority,
        // The same as in the guests: their pods come with it, and the host refuses them where it differs.
        preemptionPolicy: "PreemptLowerPriority",
        description: "Pods of tenants: whatever the platform runs goes first",
      },
      { parent: this },
    );
    const bindings = hostPolicies(args).map((policy) => {
      const short = policy.name.replace(/^kraft-/, "");
      const declared = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
        `${name}-${short}`,
        {
          metadata: { name: policy.name },
          // The plan's arrays are read-only, the provider's inputs are not.
          spec: policySpec(
            policy,
          ) as unknown as kubernetes.types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec,
        },
        { parent: this },
      );
      return new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        `${name}-${short}-binding`,
        { metadata: { name: policy.name }, spec: bindingSpec(policy.name) },
        { parent: this, dependsOn: [declared] },
      );
    });
    this.guards = [priorityClass, ...bindings];
    this.registerOutputs({});
  }
}
