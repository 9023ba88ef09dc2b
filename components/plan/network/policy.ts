/** Selects namespaces or pods; without a label, all of them. */
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: "Exists" | "DoesNotExist" }[];
}

/** Who a rule lets in or out. Both selectors together mean pods in these namespaces. */
export interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface Port {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** Without `from` it lets everyone in, without `ports` to every port. */
export interface IngressRule {
  readonly from?: readonly Peer[];
  readonly ports?: readonly Port[];
}

/** Without `to` it lets out to everywhere, without `ports` to every port. */
export interface EgressRule {
  readonly to?: readonly Peer[];
  readonly ports?: readonly Port[];
}

/** One NetworkPolicy of a namespace. What no policy of a namespace allows is refused, since one denies everything. */
export interface NetworkRules {
  readonly name: string;
  /** The pods it is for; all of the namespace where it is left out. */
  readonly pods?: Selector;
  readonly ingress?: readonly IngressRule[];
  readonly egress?: readonly EgressRule[];
}

/** The `spec` of the NetworkPolicy. A direction without a rule is not the policy's matter. */
export function networkPolicySpec({ pods, ingress, egress }: NetworkRules) {
  return {
    podSelector: pods ?? {},
    policyTypes: [...(ingress === undefined ? [] : ["Ingress"]), ...(egress === undefined ? [] : ["Egress"])],
    ...(ingress === undefined ? {} : { ingress }),
    ...(egress === undefined ? {} : { egress }),
  };
}

/** Refuses everything in both directions to every pod of a namespace; the other policies open what is needed. */
export const denyEverything: NetworkRules = { name: "default-deny", ingress: [], egress: [] };

/** Between the pods of one namespace, in both directions. */
export const withinNamespace: NetworkRules = {
  name: "within-namespace",
  ingress: [{ from: [{ podSelector: {} }] }],
  egress: [{ to: [{ podSelector: {} }] }],
};
