import { everyContainer } from "./expressions.ts";
import type { Rule } from "./policy.ts";

/** True, in CEL, if both limits of some resources are there and equal to the requests, which makes a pod `Guaranteed`. */
function isGuaranteed(resources: string): string {
  const amount = (of: "limits" | "requests"): string => `quantity(string(dyn(${resources}).${of}[r]))`;
  return (
    `has(${resources}) && has(dyn(${resources}).limits) && has(dyn(${resources}).requests) && ` +
    `['cpu', 'memory'].all(r, r in dyn(${resources}).limits && r in dyn(${resources}).requests && ` +
    `${amount("limits")}.compareTo(${amount("requests")}) == 0)`
  );
}

/**
 * A pod that is `Guaranteed` is ended after all others when a node has no memory left. That follows from what a pod requests,
 * but a new pod that brings a class in its status keeps it (`PrepareForCreate` in pkg/registry/core/pod/strategy.go of Kubernetes
 * 1.35), in the guest and on the host, where K3k's kubelet hands it on. It cannot be taken away instead: K3k writes the host's
 * status into the guest, whose API server lets no class change.
 */
export const qosClassRule: Rule = {
  expression:
    "request.operation != 'CREATE' || !has(object.status) || !has(object.status.qosClass) || object.status.qosClass != 'Guaranteed' || " +
    `(${isGuaranteed("object.spec.resources")}) || (${everyContainer(isGuaranteed("c.resources"))})`,
  message:
    "status.qosClass may not say Guaranteed for a pod that does not request all of its limits of CPU and memory: remove it",
};
