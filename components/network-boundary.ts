import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { networkPolicySpec, type NetworkRules } from "./plan/network/policy.ts";

/** What a NetworkBoundary is made of. */
export interface NetworkBoundaryArgs {
  readonly namespace: string;
  /** Labels of the NetworkPolicies themselves. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly policies: readonly NetworkRules[];
}

/** The NetworkPolicies of one namespace. They are additive: one that denies everything has to be among them. */
export class NetworkBoundary extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkBoundaryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:NetworkBoundary", name, {}, opts);
    for (const rules of args.policies) {
      new kubernetes.networking.v1.NetworkPolicy(
        `${name}-${rules.name}`,
        {
          metadata: { name: `kraft-${rules.name}`, namespace: args.namespace, labels: { ...args.labels } },
          // The plan's arrays are read-only, the provider's inputs are not.
          spec: networkPolicySpec(rules) as unknown as kubernetes.types.input.networking.v1.NetworkPolicySpec,
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
