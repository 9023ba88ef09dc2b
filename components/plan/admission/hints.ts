// What a guest warns of: objects that are allowed, and that do less here than elsewhere.
import { list } from "./expressions.ts";
import { writtenTemplates } from "./pods.ts";
import { type AdmissionPolicy, requestsFor } from "./policy.ts";

/** The labels of nodes that are the same on all of them. */
const commonLabels = ["kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch"];

/** Warnings about everything but Ingresses: of what K3k leaves behind when it copies, and of what it does not copy. */
export const guestHints: readonly AdmissionPolicy[] = [
  {
    ...writtenTemplates,
    name: "kraft-tenant-hints-templates",
    scope: "everywhere",
    warns: true,
    rules: [
      {
        // K3k puts a preference for the guest's node in its place (`createPod` in its k3k-kubelet/provider/provider.go).
        expression: `!has(variables.spec.nodeSelector) || variables.spec.nodeSelector.all(k, k in ${list(commonLabels)})`,
        message:
          "a nodeSelector only prefers a machine here: the pod may run on another one; where it must not, write affinity.nodeAffinity",
      },
    ],
  },
  hint("services", "v1", ["services"], {
    // Endpoints and EndpointSlices are not copied. Of a headless one the guest's own DNS gives the addresses away.
    expression:
      "(has(object.spec.selector) && object.spec.selector.size() > 0) || (has(object.spec.clusterIP) && object.spec.clusterIP == 'None')",
    message:
      "a Service without a selector leads nowhere here, and Endpoints do not change that: write a selector, or clusterIP: None for addresses elsewhere",
  }),
  hint("network-policies", "networking.k8s.io/v1", ["networkpolicies"], {
    expression: "false",
    message:
      "NetworkPolicies have no effect here: nobody else's pods reach yours, and among your own every pod reaches every other",
  }),
  hint("disruption-budgets", "policy/v1", ["poddisruptionbudgets"], {
    expression: "false",
    message:
      "a PodDisruptionBudget counts inside your cluster only: when the operator drains a machine, its pods end all the same; run several, spread over the machines",
  }),
  hint("volumes", "v1", ["persistentvolumes"], {
    // As which K3k shows the volume of a claim that it has copied.
    expression: "has(object.spec.flexVolume)",
    message:
      "no pod can mount a PersistentVolume of your own here: write a PersistentVolumeClaim alone, its storage class makes the volume",
  }),
  ...["traefik.io", "traefik.containo.us", "gateway.networking.k8s.io"].map((group) =>
    hint(`routes-${group.replaceAll(".", "-")}`, `${group}/*`, ["*"], {
      expression: "false",
      message:
        "the platform does not read Traefik's own kinds and the Gateway API: nothing answers by this, unless a controller of your own serves it; write an Ingress",
    }),
  ),
];

function hint(
  about: string,
  api: string,
  resources: string[],
  rule: AdmissionPolicy["rules"][number],
): AdmissionPolicy {
  return {
    name: `kraft-tenant-hints-${about}`,
    scope: "everywhere",
    warns: true,
    requests: [requestsFor(api, resources)],
    rules: [rule],
  };
}
