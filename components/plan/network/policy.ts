import { single } from "./address.ts";

/** Selects namespaces or pods; without a label, all of them. */
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: { readonly key: string; readonly operator: "Exists" | "DoesNotExist" }[];
}

/** Whom a rule lets in or out. Both selectors together mean these pods in these namespaces. */
export interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: string[] };
}

export interface Port {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** Without `to` it lets out to everywhere; without `ports`, to every port. */
export interface EgressRule {
  readonly to?: Peer[];
  readonly ports?: Port[];
}

/** One NetworkPolicy of a namespace. Since one of them denies everything, what no policy allows is refused. */
export interface NetworkRules {
  readonly name: string;
  /** The pods that it applies to; all of the namespace where it is left out. */
  readonly pods?: Selector;
  /** Without `from` a rule lets everyone in; without `ports`, to every port. */
  readonly ingress?: { readonly from?: Peer[]; readonly ports?: Port[] }[];
  readonly egress?: EgressRule[];
}

/** The name of the NetworkPolicy in its namespace. */
export function networkPolicyName({ name }: NetworkRules): string {
  return `kraft-${name}`;
}

/** The `spec` of the NetworkPolicy, which does not apply to a direction without rules. */
export function networkPolicySpec({ pods = {}, ingress, egress }: NetworkRules) {
  const policyTypes = [...(ingress ? ["Ingress"] : []), ...(egress ? ["Egress"] : [])];
  return { podSelector: pods, policyTypes, ingress, egress };
}

/** The same policy, which allows nothing. */
export function closed({ ingress, egress, ...policy }: NetworkRules): NetworkRules {
  return { ...policy, ingress: ingress && [], egress: egress && [] };
}

/** Ports of TCP. */
export function tcp(...ports: readonly number[]): Port[] {
  return ports.map((port) => ({ protocol: "TCP", port }));
}

/** Pods of another namespace; all of them where no labels are given. */
export function podsIn(namespace: string, matchLabels?: Readonly<Record<string, string>>): Peer {
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    podSelector: matchLabels && { matchLabels },
  };
}

/** One address, of either family. */
export function address(ip: string): Peer {
  return { ipBlock: { cidr: single(ip) } };
}

/** Refuses everything in both directions to every pod of a namespace; the other policies allow what is needed. */
export const denyEverything: NetworkRules = { name: "default-deny", ingress: [], egress: [] };

/** Between the pods of one namespace, in both directions. */
export const withinNamespace: NetworkRules = {
  name: "within-namespace",
  ingress: [{ from: [{ podSelector: {} }] }],
  egress: [{ to: [{ podSelector: {} }] }],
};
