import { everyContainer, list, quoted } from "./expressions.ts";
import type { Rule } from "./policy.ts";

/** What a guest's rules know of the tenant. */
export interface GuestLimits {
  /** Storage classes that the tenant may use. */
  readonly classes: readonly string[];
  /**
   * The most that one container and one volume may ask for, as Kubernetes quantities: beyond it nothing ever fits.
   *
   * @default not looked at
   */
  readonly largest?: { readonly memory: string; readonly volume: string };
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
  ];
}

/** @param most the memory that all of the tenant's containers may have together */
export function memoryRule(most: string, spec: string): Rule {
  // `dyn`, since Kubernetes publishes no type for resources.
  const within = (field: "limits" | "requests"): string =>
    `(!has(dyn(c.resources).${field}) || !('memory' in dyn(c.resources).${field}) || ` +
    `quantity(string(dyn(c.resources).${field}['memory'])).compareTo(quantity(${quoted(most)})) <= 0)`;
  return {
    expression: everyContainer(`!has(c.resources) || (${within("limits")} && ${within("requests")})`, spec),
    message: `a container may have up to ${most} of memory, as limit and as request: all that your cluster has; lower it, or ask the operator for more`,
  };
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
  const rules: Rule[] = [
    {
      // Without one the guest's default class fills in what is missing.
      expression: `(${templates}).all(t, !has(t.spec.storageClassName) || t.spec.storageClassName in ${list(classes)})`,
      message: `storageClassName of ${where} must be one of ${classes.join(", ")}, or left out: only these are backed up`,
    },
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
