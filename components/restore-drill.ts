import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { NetworkBoundary } from "./network-boundary.ts";
import { drillNamespace, drillQuota } from "./plan/drill.ts";
import { denyEverything } from "./plan/network/policy.ts";
import { podSecurity, podSecurityLabels } from "./plan/pod-security.ts";

/**
 * Where `kraft drill` restores tenants' backups to read them: a namespace without a network, without a token and with
 * room for one pod. It stands before the first drill, so that no restored data is ever outside it. It holds no data
 * itself: what a drill leaves behind is a copy.
 */
export class RestoreDrill extends pulumi.ComponentResource {
  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:RestoreDrill", name, {}, opts);
    const namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: drillNamespace, labels: podSecurityLabels(podSecurity.drill) } },
      { parent: this },
    );
    const options: pulumi.CustomResourceOptions = { parent: this, dependsOn: [namespace] };
    new NetworkBoundary(`${name}-network`, { namespace: drillNamespace, policies: [denyEverything] }, options);
    new kubernetes.core.v1.ResourceQuota(
      `${name}-quota`,
      { metadata: { name: "kraft-drill", namespace: drillNamespace }, spec: drillQuota },
      options,
    );
    new kubernetes.core.v1.ServiceAccount(
      `${name}-service-account`,
      { metadata: { name: "default", namespace: drillNamespace }, automountServiceAccountToken: false },
      // Kubernetes makes it with the namespace and would make it again.
      { ...options, retainOnDelete: true },
    );
    this.registerOutputs({});
  }
}
