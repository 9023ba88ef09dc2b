import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { declareMutatingPolicy, declarePolicy } from "./admission-policy.ts";
import type { IngressSettings } from "./plan/admission/ingresses.ts";
import { hostPodPolicy } from "./plan/admission/pods.ts";
import { hostMutations, hostPolicies } from "./plan/admission/policies.ts";
import { priorityClasses, tenantPriority } from "./plan/size.ts";

/**
 * What the host's API server lets all tenants do: admission policies that check every object from a guest, some that
 * take raw packets from its pods and give them a seccomp profile, and the priority class that tells guests' pods from the platform's.
 *
 * It must exist before any object of a tenant. On the network, a `NetworkBoundary` in each namespace keeps tenants apart.
 *
 * @example
 * const boundary = new TenantBoundary("boundary", { ingressClassName: "traefik", issuerName: "kraft-issuer" });
 * new Tenant("tenant-acme", args, { dependsOn: [...boundary.guards] });
 */
export class TenantBoundary extends pulumi.ComponentResource {
  /** Resources that every tenant depends on. */
  readonly guards: readonly pulumi.Resource[];

  constructor(name: string, args: IngressSettings, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:TenantBoundary", name, {}, opts);
    const priorityClass = new kubernetes.scheduling.v1.PriorityClass(
      `${name}-priority`,
      {
        metadata: { name: priorityClasses.tenant },
        value: tenantPriority,
        // As in the guests: the host refuses a pod whose preemption policy differs.
        preemptionPolicy: "PreemptLowerPriority",
        description: "Pods of tenants: whatever the platform runs goes first",
      },
      { parent: this },
    );
    const nameOf = (policy: { readonly name: string }): string => `${name}-${policy.name.replace(/^kraft-/, "")}`;
    const mutations = hostMutations.map((policy) => declareMutatingPolicy(nameOf(policy), policy, { parent: this }));
    const bindings = hostPolicies(args).map((policy) =>
      declarePolicy(nameOf(policy), policy, {
        parent: this,
        // It refuses what the others have not changed.
        dependsOn: policy === hostPodPolicy ? mutations : [],
      }),
    );
    this.guards = [priorityClass, ...mutations, ...bindings];
    this.registerOutputs({ priorityClass: priorityClasses.tenant });
  }
}
