import { policyLabel, tenantLabel } from "../names.ts";
import type { Selector } from "../network/policy.ts";
import { type NamedExpression, quoted } from "./expressions.ts";

/** A condition that an object must meet, in CEL, and the message for one that does not. */
export interface Rule {
  readonly expression: string;
  /** What is wrong, what is allowed, and what to do. One line: Kubernetes allows no more. */
  readonly message: string;
  /** The same in CEL, where it can name what was found; if it fails, `message` is shown. */
  readonly messageExpression?: string;
  /** What kind of refusal the client is told. Default: that the object is invalid. */
  readonly reason?: "Forbidden";
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
  /**
   * Whether rules and variables may ask for the time, `timestamp(params.spec.renewTime)`. CEL has no clock of its own. Where
   * the API server has none either, the policy does not apply.
   */
  readonly clock?: true;
  /** Whether it only warns, as `kubectl apply` prints, and lets the object pass. */
  readonly warns?: true;
}

/** A policy that changes objects before the others judge them. Where it cannot be evaluated, the request is refused. */
export interface MutatingPolicy extends Pick<AdmissionPolicy, "name" | "requests" | "scope"> {
  /** Lists of JSON patches, in CEL, applied one after the other. */
  readonly patches: readonly string[];
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

function matchConstraints({ scope, requests }: Pick<AdmissionPolicy, "requests" | "scope">) {
  return { matchPolicy: "Equivalent", namespaceSelector: scopes[scope], resourceRules: requests };
}

/** The `spec` of the MutatingAdmissionPolicy. */
export function mutatingPolicySpec(policy: MutatingPolicy) {
  return {
    failurePolicy: "Fail",
    // After whatever else changes the object.
    reinvocationPolicy: "IfNeeded",
    matchConstraints: matchConstraints(policy),
    mutations: policy.patches.map((expression) => ({ patchType: "JSONPatch", jsonPatch: { expression } })),
  };
}

/** The `spec` of the ValidatingAdmissionPolicy. */
export function policySpec(policy: AdmissionPolicy) {
  const { conditions, variables, rules, clock } = policy;
  return {
    failurePolicy: "Fail",
    paramKind: clock && { apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
    matchConstraints: matchConstraints(policy),
    matchConditions: conditions,
    variables,
    validations: rules,
  };
}

/**
 * The clock of admission policies: the Lease by which every API server says, every ten seconds, that it is there
 * (`createLeaseController` in pkg/controlplane/apiserver/server.go of Kubernetes 1.35; on by default since 1.26). The Lease of
 * an API server that has stopped stays for up to two hours. Its time stands still, and every Lease has to agree, so that a new
 * permission may count up to two hours late, but an old one never longer.
 */
const clockReference = {
  namespace: "kube-system",
  selector: { matchLabels: { "apiserver.kubernetes.io/identity": "kube-apiserver" } },
  // With `Deny`, a cluster without the Lease would refuse every request that the policy names, before any of its conditions.
  parameterNotFoundAction: "Allow",
};

/** The `spec` of the ValidatingAdmissionPolicyBinding that puts a policy into force. */
export function bindingSpec({ name, clock, warns }: Pick<AdmissionPolicy, "name" | "clock" | "warns">) {
  const validationActions = [warns ? "Warn" : "Deny", "Audit"];
  return { policyName: name, validationActions, paramRef: clock && clockReference };
}

/**
 * The same policy, which tells of everything that is wrong with an object in one message: where several rules fail, the API
 * server tells of the first only, and whoever corrects an object has to send it again for each.
 *
 * Each problem is a variable, since the API server limits what one expression may cost.
 */
export function allAtOnce(policy: AdmissionPolicy): AdmissionPolicy {
  const problems = policy.rules.map(({ expression, message, messageExpression }, index) => ({
    name: `problem${index + 1}`,
    expression: `(${expression}) ? '' : (${messageExpression ?? quoted(message)})`,
  }));
  const found = `[${problems.map(({ name }) => `variables.${name}`).join(", ")}].filter(p, p != '')`;
  return {
    ...policy,
    variables: [...(policy.variables ?? []), ...problems, { name: "problems", expression: found }],
    rules: [
      {
        expression: "variables.problems.size() == 0",
        // Kubernetes allows a message 5 KiB.
        message: "more is wrong with this object than a message can hold: correct it part by part",
        messageExpression: "variables.problems.join('. Also: ')",
      },
    ],
  };
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
