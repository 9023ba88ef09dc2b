import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { networkPolicyName, networkPolicySpec, type NetworkRules } from "./plan/network/policy.ts";

export interface NetworkBoundaryArgs {
  readonly namespace: string;
  /**
   * Labels of the NetworkPolicies themselves.
   *
   * @default none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /** One of them must deny everything: policies only ever add to what is allowed. */
  readonly policies: readonly NetworkRules[];
  /**
   * What takes the policies along when it is deleted with them.
   *
   * @default nothing: each is deleted by itself, which the API server refuses
   */
  readonly deletedWith?: pulumi.Resource;
  /**
   * Whether the policies stay in the cluster when they leave the program, since the API server refuses to delete them there.
   *
   * @default false
   */
  readonly retained?: boolean;
}

/**
 * The NetworkPolicies of one namespace.
 *
 * @example
 * new NetworkBoundary("shop-network", { namespace: "shop", policies: [denyEverything, withinNamespace] });
 */
export class NetworkBoundary extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkBoundaryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:NetworkBoundary", name, {}, opts);
    for (const rules of args.policies) {
      new kubernetes.networking.v1.NetworkPolicy(
        `${name}-${rules.name}`,
        {
          metadata: { name: networkPolicyName(rules), namespace: args.namespace, labels: { ...args.labels } },
          spec: networkPolicySpec(rules),
        },
        { parent: this, deletedWith: args.deletedWith, retainOnDelete: args.retained === true },
      );
    }
    this.registerOutputs({ namespace: args.namespace });
  }
}
