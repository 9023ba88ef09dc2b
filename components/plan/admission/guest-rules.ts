import { containerRequest, type Largest } from "../size.ts";
import { defaultStorageClass } from "../storage.ts";
import { affinityTerms, everyContainer, list, quoted } from "./expressions.ts";
import { newVolumeRules, ordersToLonghorn } from "./new-volume-rules.ts";
import type { Rule } from "./policy.ts";

/** What a guest's rules know of the tenant. */
export interface GuestLimits {
  /** Storage classes that the tenant may use. */
  readonly classes: readonly string[];
  /**
   * The most that one pod, one container and one volume may ask for: beyond it nothing ever fits.
   *
   * @default not looked at
   */
  readonly largest?: Largest;
  /**
   * Whether the release of K3k leaves the name of a service account on a pod that mounts no token: the host has no such account.
   *
   * @default false
   */
  readonly keepsAccounts?: boolean;
}

/** What K3k's copy on the host cannot be, or would be without a word about it: known in the guest only. */
export function copyRules(spec: string): readonly Rule[] {
  return [
    {
      // K3k puts the guest's name server only into pods without a dnsConfig (`configureNetworking` in its
      // k3k-kubelet/provider/provider.go); the host's own is closed to tenants.
      expression: `!has(${spec}.dnsConfig) || (has(${spec}.dnsConfig.nameservers) && ${spec}.dnsConfig.nameservers.size() > 0)`,
      message:
        "a dnsConfig without nameservers would leave the pod without DNS: remove dnsConfig, or name name servers in it, for example 9.9.9.9",
    },
    {
      // The guest's API server adds such keys to the selector, and the host's refuses a copy that has them in both.
      expression: `!has(${spec}.topologySpreadConstraints) || ${spec}.topologySpreadConstraints.all(t, !has(t.matchLabelKeys) || t.matchLabelKeys.size() == 0)`,
      message:
        "topologySpreadConstraints may not have matchLabelKeys: remove it, and name the labels in labelSelector instead",
    },
    {
      expression: ["podAffinity", "podAntiAffinity"]
        .map((kind) =>
          affinityTerms(kind, spec, (term) => `!has(${term}.matchLabelKeys) || ${term}.matchLabelKeys.size() == 0`),
        )
        .join(" && "),
      message: "pod affinity may not have matchLabelKeys: remove it, and name the labels in labelSelector instead",
    },
    {
      // The host knows neither the guest's trust bundles nor who signs its certificates.
      expression:
        "variables.volumes.all(v, !has(v.projected) || !has(v.projected.sources) || v.projected.sources.all(s, " +
        "has(s.secret) || has(s.configMap) || has(s.downwardAPI) || has(s.serviceAccountToken)))",
      message:
        "a projected volume may have secret, configMap, downwardAPI and serviceAccountToken as sources: put a trust bundle or a certificate into a ConfigMap or a Secret",
    },
    {
      // K3k takes the first volume with this beginning for the account's token, and mounts that in its place.
      expression:
        "variables.volumes.all(v, !v.name.startsWith('kube-api-access') || (has(v.projected) && has(v.projected.sources) && " +
        "v.projected.sources.exists(s, has(s.serviceAccountToken))))",
      message:
        "a volume whose name begins with kube-api-access would be replaced by the token of the pod's account: rename it",
    },
    {
      // K3k gives every pod one class of the host, which fills in another policy.
      expression: `!has(${spec}.preemptionPolicy) || ${spec}.preemptionPolicy != 'Never'`,
      message:
        "preemptionPolicy: Never is not possible: remove it from the pod, and from the priority class that the pod names",
    },
  ];
}

/**
 * Pods that K3k's older releases cannot bring to the host.
 *
 * @param mountsNoToken in CEL
 */
export function accountRule(mountsNoToken: string, spec: string): Rule {
  const own = `has(${spec}.serviceAccountName) && !(${spec}.serviceAccountName in ['', 'default'])`;
  return {
    expression: `!(${own}) || !(${mountsNoToken})`,
    message:
      "a pod with a service account of its own that mounts no token (automountServiceAccountToken: false) does not start with this version of K3k: remove serviceAccountName, or set automountServiceAccountToken: true in the pod",
  };
}

/**
 * What no pod of the tenant may ask for, since the host's quota and limits refuse it whatever else runs: a Deployment would have
 * no pod for ever.
 */
export function largestPodRules({ cpu, memory, ephemeralStorage }: Largest, spec: string): readonly Rule[] {
  const ofAll = "all that your cluster has; lower it, or ask the operator for more";
  return [
    {
      expression: podWithin("cpu", cpu, containerRequest.cpu, spec),
      message: `the containers of a pod may request up to ${cpu} of CPU together, where a limit without a request counts as one: ${ofAll}`,
    },
    {
      expression: `${containersWithin("memory", memory, spec)} && ${podWithin("memory", memory, containerRequest.memory, spec)}`,
      message: `a container may have up to ${memory} of memory, as limit and as request, and the containers of a pod may request as much together: ${ofAll}`,
    },
    {
      expression: containersWithin("ephemeral-storage", ephemeralStorage, spec),
      message: `a container may write up to ${ephemeralStorage} beside its volumes (ephemeral-storage, as limit and as request): lower it, and use a persistentVolumeClaim for more`,
    },
  ];
}

/** What a resource of one container or of the pod is, in CEL. `dyn`, since Kubernetes publishes no type for resources. */
function resource(owner: string, field: "limits" | "requests", name: string) {
  const all = `dyn(${owner}.resources).${field}`;
  return {
    exists: `(has(${owner}.resources) && has(${all}) && ${quoted(name)} in ${all})`,
    value: `quantity(string(${all}[${quoted(name)}]))`,
  };
}

/** True, in CEL, if neither limit nor request of any container is above `most`. */
function containersWithin(name: string, most: string, spec: string): string {
  const within = (["limits", "requests"] as const).map((field) => {
    const { exists, value } = resource("c", field, name);
    return `(!${exists} || ${value}.compareTo(quantity(${quoted(most)})) <= 0)`;
  });
  return everyContainer(`(${within.join(" && ")})`, spec);
}

/**
 * True, in CEL, if what the quota counts of a pod is within `most`: the sum of its containers, or the largest init container, or
 * what the pod says for all of them. A container that says nothing gets the request `otherwise`.
 */
function podWithin(name: string, most: string, otherwise: string, spec: string): string {
  const number = (quantity: string): string => `${quantity}.asApproximateFloat()`;
  const written = (owner: string, ifNothing: string): string => {
    const request = resource(owner, "requests", name);
    const limit = resource(owner, "limits", name);
    return `(${request.exists} ? ${number(request.value)} : ${limit.exists} ? ${number(limit.value)} : ${ifNothing})`;
  };
  const ofContainer = written("c", number(`quantity(${quoted(otherwise)})`));
  // A tenth of a CPU has no exact number, and ten of them are one.
  const within = (sum: string): string => `${sum} <= ${number(`quantity(${quoted(most)})`)} * 1.000001`;
  return [
    `(has(${spec}.resources) || ${within(`${spec}.containers.map(c, ${ofContainer}).sum()`)})`,
    `(!has(${spec}.initContainers) || ${spec}.initContainers.all(c, ${within(ofContainer)}))`,
    within(written(spec, "0.0")),
  ].join(" && ");
}

/** The size that a claim asks for, in CEL. `dyn`, since Kubernetes publishes no type for resources. */
function sizeOf(claim: string): string {
  return `quantity(string(dyn(${claim}).spec.resources.requests['storage']))`;
}

function hasSize(claim: string): string {
  return `has(dyn(${claim}).spec.resources) && has(dyn(${claim}).spec.resources.requests) && 'storage' in dyn(${claim}).spec.resources.requests`;
}

/**
 * The claims that a controller makes of a template in `templates`, a list in CEL: what it is refused stands in an event only.
 *
 * @param where what the tenant calls the place of these templates
 */
export function claimTemplateRules(
  templates: string,
  where: string,
  { classes, largest }: GuestLimits,
): readonly Rule[] {
  // Without a class the default one fills in what is missing, and a tenant of the lowest tier has none.
  const hasDefault = classes.includes(defaultStorageClass);
  const leftOut = hasDefault ? "!has(t.spec.storageClassName) ||" : "has(t.spec.storageClassName) &&";
  const rules: Rule[] = [
    {
      expression: `(${templates}).all(t, ${leftOut} t.spec.storageClassName in ${list(classes)})`,
      message: `storageClassName of ${where} must be one of ${classes.join(", ")}${hasDefault ? ", or left out" : ""}: only these are backed up`,
    },
    // The controller copies all of these into the claim.
    ...[
      ...newVolumeRules("t"),
      {
        expression: `(${ordersToLonghorn("t")}).size() == 0`,
        message:
          "labels and annotations of longhorn.io are not allowed: choose a storage class for its schedule instead",
      },
      {
        expression: "!has(t.spec.volumeName) || t.spec.volumeName == ''",
        message: "spec.volumeName would take an existing volume: remove it, every claim gets a volume of its own",
      },
    ].map(({ expression, message }) => ({
      expression: `(${templates}).all(t, ${expression})`,
      message: `in ${where}, ${message}`,
    })),
  ];
  return largest === undefined
    ? rules
    : [
        ...rules,
        {
          expression: `(${templates}).all(t, !(${hasSize("t")}) || ${sizeOf("t")}.compareTo(quantity(${quoted(largest.volume)})) <= 0)`,
          message: `${where} may ask for up to ${largest.volume} of storage: all that your cluster has; lower it, or ask the operator for more`,
        },
      ];
}

/** What only a guest can say of a claim: on the host it would wait for ever, or stay as it was, without a word. */
export function claimRules({ largest }: GuestLimits): readonly Rule[] {
  const rules: Rule[] = [
    {
      // K3k copies a claim once ("we dont need to update the PVC on the host", its syncer/persistentvolumeclaims.go).
      expression: `oldObject == null || !(${hasSize("object")}) || !(${hasSize("oldObject")}) || ${sizeOf("object")}.compareTo(${sizeOf("oldObject")}) <= 0`,
      message:
        "a claim keeps the size that it was created with: create a larger one and copy the data, or ask the operator to enlarge the volume",
    },
  ];
  return largest === undefined
    ? rules
    : [
        {
          expression: `oldObject != null || !(${hasSize("object")}) || ${sizeOf("object")}.compareTo(quantity(${quoted(largest.volume)})) <= 0`,
          message: `a claim may ask for up to ${largest.volume}: all that your cluster has; lower it, or ask the operator for more`,
        },
        ...rules,
      ];
}
