import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { declareNamespace } from "./install-chart.ts";
import { drillNamespace, drillQuota } from "./plan/drill.ts";
import { denyEverything } from "./plan/network/policy.ts";
import { podSecurity } from "./plan/pod-security.ts";

/**
 * Where `kraft drill` restores tenants' backups to read them: a namespace without a network, without a token and with
 * room for one pod. It exists before the first drill, so that restored data is never outside it, and holds no data of
 * its own: what a drill leaves behind is a copy.
 *
 * @example
 * new RestoreDrill("restore-drill", { providers: [host.provider] });
 */
export class RestoreDrill extends pulumi.ComponentResource {
  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:RestoreDrill", name, {}, opts);
    const namespace = declareNamespace(this, name, {
      namespace: drillNamespace,
      security: podSecurity.drill,
      policies: [denyEverything],
    });
    const childOptions: pulumi.CustomResourceOptions = { parent: this, dependsOn: [namespace] };
    new kubernetes.core.v1.ResourceQuota(
      `${name}-quota`,
      { metadata: { name: "kraft-drill", namespace: drillNamespace }, spec: drillQuota },
      childOptions,
    );
    new kubernetes.core.v1.ServiceAccount(
      `${name}-service-account`,
      { metadata: { name: "default", namespace: drillNamespace }, automountServiceAccountToken: false },
      // Kubernetes creates it with the namespace, and again whenever it is deleted.
      { ...childOptions, retainOnDelete: true },
    );
    this.registerOutputs({ namespace: drillNamespace });
  }
}
