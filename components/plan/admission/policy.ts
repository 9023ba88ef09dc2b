import { policyLabel, tenantLabel } from "../names.ts";
import type { Selector } from "../network/policy.ts";

/** One condition that an object must meet, in CEL, and what is said to whoever wrote an object that does not. */
export interface Rule {
  readonly expression: string;
  /** What is wrong, what is allowed, and what to do. One line: Kubernetes allows no more. */
  readonly message: string;
  /** The same in CEL, where it can name what was found; `message` is said if it fails. */
  readonly messageExpression?: string;
}

/** A named CEL expression that rules refer to as `variables.<name>`. */
export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** A condition of the request itself, in CEL: where it is false, the policy does not apply. */
export interface Condition {
  readonly name: string;
  readonly expression: string;
}

/** Requests that a policy is for. */
export interface RequestRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE" | "DELETE" | "CONNECT")[];
}

/**
 * In which namespaces a policy applies: in those of tenants; in those that K3k treats as a tenant's without our label;
 * or everywhere, which is also where objects without a namespace are.
 */
export type Scope = "tenants" | "unknown-tenants" | "everywhere";

/** An admission policy, apart from where it applies. */
export interface AdmissionPolicy {
  readonly name: string;
  readonly scope: Scope;
  readonly requests: readonly RequestRule[];
  readonly conditions?: readonly Condition[];
  readonly variables?: readonly Variable[];
  readonly rules: readonly Rule[];
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

/** The `spec` of the ValidatingAdmissionPolicy. Where it cannot be evaluated, the request is refused. */
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

/** A text as CEL writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A list of texts as CEL writes it. */
export function list(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(", ")}]`;
}
