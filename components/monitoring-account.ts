import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { monitoringNamespace } from "./plan/monitoring/parts.ts";

type Rule = kubernetes.types.input.rbac.v1.PolicyRule;

/** What a program of the monitoring may read. */
export interface Rights {
  readonly everywhere: readonly Rule[];
  /** In single namespaces, by their names. */
  readonly within: Readonly<Record<string, readonly Rule[]>>;
}

/** A service account, and what gives it its rights: a program that starts before these is refused. */
export interface Account {
  readonly account: kubernetes.core.v1.ServiceAccount;
  readonly bindings: readonly pulumi.Resource[];
}

/**
 * Declares who a program of the monitoring is to the API server. Its roles are called `kraft-<program>`.
 *
 * @param name Of which the logical names are derived.
 * @param program The name of its service account.
 * @param opts Depend on the namespaces in which there are rights.
 */
export function declareAccount(
  name: string,
  program: string,
  { everywhere, within }: Rights,
  opts: pulumi.CustomResourceOptions,
): Account {
  const account = new kubernetes.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata: { name: program, namespace: monitoringNamespace }, automountServiceAccountToken: false },
    opts,
  );
  const metadata = { name: `kraft-${program}` };
  const subjects = [{ kind: "ServiceAccount", name: program, namespace: monitoringNamespace }];
  const refersTo = (kind: "ClusterRole" | "Role") => ({
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: metadata.name },
    subjects,
  });
  const role = new kubernetes.rbac.v1.ClusterRole(`${name}-role`, { metadata, rules: [...everywhere] }, opts);
  const binding = new kubernetes.rbac.v1.ClusterRoleBinding(
    `${name}-binding`,
    { metadata, ...refersTo("ClusterRole") },
    { ...opts, dependsOn: [role, account] },
  );
  const inNamespaces = Object.entries(within).map(([namespace, rules]) => {
    const inNamespace = { ...metadata, namespace };
    const ofNamespace = new kubernetes.rbac.v1.Role(
      `${name}-role-${namespace}`,
      { metadata: inNamespace, rules: [...rules] },
      opts,
    );
    return new kubernetes.rbac.v1.RoleBinding(
      `${name}-binding-${namespace}`,
      { metadata: inNamespace, ...refersTo("Role") },
      { ...opts, dependsOn: [ofNamespace, account] },
    );
  });
  return { account, bindings: [binding, ...inNamespaces] };
}
