import { policyLabel, tenantLabel } from "../names.ts";
import type { Selector } from "../network/policy.ts";

/** A condition that an object must meet, in CEL, and the message for one that does not. */
export interface Rule {
  readonly expression: string;
  /** What is wrong, what is allowed, and what to do. One line: Kubernetes allows no more. */
  readonly message: string;
  /** The same in CEL, where it can name what was found; if it fails, `message` is shown. */
  readonly messageExpression?: string;
}

/** A CEL expression and what it is called. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

/** Requests that a policy applies to. */
interface RequestRule {
  readonly apiGroups: string[];
  readonly apiVersions: string[];
  readonly resources: string[];
  readonly operations: ("CREATE" | "UPDATE" | "DELETE" | "CONNECT")[];
}

/**
 * Where a policy applies: in namespaces of tenants; in those that K3k treats as a tenant's but that lack our label; or
 * everywhere, including to objects without a namespace.
 */
export type Scope = "tenants" | "unknown-tenants" | "everywhere";

/** An admission policy. Where it cannot be evaluated, the request is refused. */
export interface AdmissionPolicy {
  readonly name: string;
  readonly scope: Scope;
  readonly requests: RequestRule[];
  /** Where one of them is false, the policy does not apply. */
  readonly conditions?: NamedExpression[];
  /** Expressions that rules refer to as `variables.<name>`. */
  readonly variables?: NamedExpression[];
  readonly rules: Rule[];
}

const scopes: Readonly<Record<Scope, Selector | undefined>> = {
  tenants: { matchExpressions: [{ key: tenantLabel, operator: "Exists" }] },
  "unknown-tenants": {
    matchExpressions: [
      { key: policyLabel, operator: "Exists" },
      { key: tenantLabel, operator: "DoesNotExist" },
    ],
  },
  everywhere: undefined,
};

/** The `spec` of the ValidatingAdmissionPolicy. */
export function policySpec({ scope, requests, conditions, variables, rules }: AdmissionPolicy) {
  return {
    failurePolicy: "Fail",
    matchConstraints: { matchPolicy: "Equivalent", namespaceSelector: scopes[scope], resourceRules: requests },
    matchConditions: conditions,
    variables,
    validations: rules,
  };
}

/** The `spec` of the ValidatingAdmissionPolicyBinding that puts a policy into force. */
export function bindingSpec(name: string) {
  return { policyName: name, validationActions: ["Deny", "Audit"] };
}

/**
 * Requests that change objects of one API (for example `networking.k8s.io/v1`), by default creating and updating them.
 */
export function requestsFor(
  api: string,
  resources: string[],
  operations: RequestRule["operations"] = ["CREATE", "UPDATE"],
): RequestRule {
  const [version = "", group = ""] = api.split("/").reverse();
  // Copied, since YAML would write a list that occurs twice as a reference to the first.
  return { apiGroups: [group], apiVersions: [version], resources, operations: [...operations] };
}
