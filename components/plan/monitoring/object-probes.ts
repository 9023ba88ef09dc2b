/*
 * What monitoring asks the API server about objects: whether each wall between tenants is as declared, and what Longhorn and
 * `kraft drill` wrote about backups. The blackbox exporter reads the object and decides by an expression of CEL, so that no
 * program of ours has to run.
 */
import {
  type AdmissionPolicy,
  bindingSpec,
  type MutatingPolicy,
  mutatingPolicySpec,
  policySpec,
} from "../admission/policy.ts";
import { apiVersions } from "../custom-kinds.ts";
import { failedDrillAnnotation, provenAnnotation } from "../drill.ts";
import { mutatingPolicyApi } from "../machines/api-server.ts";
import { domainsAnnotation, policyLabel, tenantLabel, tenantNames } from "../names.ts";
import { platformNamespaces } from "../network/platform-policies.ts";
import { networkPolicyName, networkPolicySpec, type NetworkRules } from "../network/policy.ts";
import { podSecurity, podSecurityLabels } from "../pod-security.ts";
import { defaultTarget } from "../storage.ts";
import type { objectJobs } from "./parts.ts";

/** One question to the API server. */
export interface ObjectProbe {
  readonly job: keyof typeof objectJobs;
  /** What it is about, for a message: its name among all probes of its job. */
  readonly object: string;
  readonly tenant?: string;
  /** Where the API server has it. */
  readonly path: string;
  /** CEL over the answer, `body`, which is true where all is well. An answer of 404 is tried too. */
  readonly holds: string;
}

/** The NetworkPolicies of one namespace, as Kraft declares them: it may have no others. */
export interface Boundary {
  readonly namespace: string;
  readonly tenant?: string;
  readonly policies: readonly NetworkRules[];
}

export interface Walls {
  readonly boundaries: readonly Boundary[];
  readonly tenants: readonly { readonly name: string; readonly domains: readonly string[] }[];
  readonly admission: readonly AdmissionPolicy[];
  readonly mutating: readonly MutatingPolicy[];
}

/** Every question about objects. */
export function objectProbes({ boundaries, tenants, admission, mutating }: Walls): readonly ObjectProbe[] {
  return [
    ...boundaries.map(boundaryProbe),
    ...tenants.map(namespaceProbe),
    ...admission.flatMap(admissionProbes),
    ...mutating.flatMap(mutatingProbes),
    {
      job: "backup-target",
      object: "backup target",
      path: `${longhornObjects}/backuptargets/${defaultTarget}`,
      holds: "has(body.status.available) && body.status.available",
    },
    ...tenants.flatMap(({ name }) => [backupsProbe(name), ...drillProbes(name)]),
  ];
}

const longhornObjects = `/apis/${apiVersions.BackupTarget}/namespaces/${platformNamespaces.longhorn}`;

/** Every policy of a namespace as declared, and no other: policies only ever add to what is allowed. */
function boundaryProbe({ namespace, tenant, policies }: Boundary): ObjectProbe {
  const declared = policies.map((rules) => ({
    name: networkPolicyName(rules),
    spec: stored(networkPolicySpec(rules)),
  }));
  return {
    job: "walls",
    object: `NetworkPolicies of ${namespace}`,
    ...(tenant !== undefined && { tenant }),
    path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    holds: `size(body.items) == ${declared.length} && ${JSON.stringify(declared)}.all(d, body.items.exists(p, p.metadata.name == d.name && p.spec == d.spec))`,
  };
}

/** What a tenant's namespace says of its owner, its Pod Security level and its domains. */
function namespaceProbe({ name, domains }: Walls["tenants"][number]): ObjectProbe {
  const { namespace, policy } = tenantNames(name);
  const labels = { [tenantLabel]: name, [policyLabel]: policy, ...podSecurityLabels(podSecurity.tenant) };
  return {
    job: "walls",
    object: `labels and domains of ${namespace}`,
    tenant: name,
    path: `/api/v1/namespaces/${namespace}`,
    holds: [...equal("labels", labels), ...equal("annotations", { [domainsAnnotation]: domains.join(",") })].join(
      " && ",
    ),
  };
}

/** That fields of an object's metadata have these values, in CEL. */
function equal(field: string, values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(
    ([key, value]) => `body.metadata.${field}[${JSON.stringify(key)}] == ${JSON.stringify(value)}`,
  );
}

/**
 * An admission policy and the binding that puts it into force. Admission itself cannot guard them, so nothing refuses a
 * change by hand.
 */
function admissionProbes(policy: AdmissionPolicy): readonly ObjectProbe[] {
  return specProbes("admissionregistration.k8s.io/v1", policy.name, {
    validatingadmissionpolicies: withDefaults(policySpec(policy)),
    validatingadmissionpolicybindings: bindingSpec(policy),
  });
}

/** The same of a policy that changes objects. */
function mutatingProbes(policy: MutatingPolicy): readonly ObjectProbe[] {
  return specProbes(mutatingPolicyApi, policy.name, {
    mutatingadmissionpolicies: withDefaults(mutatingPolicySpec(policy)),
    mutatingadmissionpolicybindings: { policyName: policy.name },
  });
}

/** With what the API server adds (pkg/apis/admissionregistration/v1/defaults.go of Kubernetes 1.35). */
function withDefaults(spec: Pick<ReturnType<typeof policySpec>, "matchConstraints">): object {
  const { matchConstraints } = spec;
  return {
    ...spec,
    matchConstraints: {
      ...matchConstraints,
      namespaceSelector: matchConstraints.namespaceSelector ?? {},
      objectSelector: {},
      resourceRules: matchConstraints.resourceRules.map((rule) => ({ ...rule, scope: "*" })),
    },
  };
}

/** That objects of one name have these specifications, by the plural of their kind. */
function specProbes(api: string, name: string, specs: Readonly<Record<string, object>>): readonly ObjectProbe[] {
  return Object.entries(specs).map(([plural, declared]) => ({
    job: "walls",
    object: `${plural} ${name}`,
    path: `/apis/${api}/${plural}/${name}`,
    holds: `body.spec == ${JSON.stringify(stored(declared))}`,
  }));
}

/** No backup of a tenant has failed without a later one of the same volume that did not. Longhorn forgets failures after a day. */
function backupsProbe(tenant: string): ObjectProbe {
  const label = 'metadata.labels["backup-volume"]';
  const state = (backup: string, is: string): string =>
    `has(${backup}.status) && has(${backup}.status.state) && ${backup}.status.state == "${is}"`;
  const labels = 'b.spec.labels["KubernetesStatus"]';
  const ofTenant = `has(b.spec.labels) && b.spec.labels != null && "KubernetesStatus" in b.spec.labels && ${labels}.contains(${JSON.stringify(`"namespace":"${tenantNames(tenant).namespace}"`)})`;
  const later = `body.items.exists(c, ${state("c", "Completed")} && c.${label} == b.${label} && c.metadata.creationTimestamp > b.metadata.creationTimestamp)`;
  return {
    job: "failed-backups",
    object: `backups of ${tenant}`,
    tenant,
    path: `${longhornObjects}/backups`,
    holds: `!body.items.exists(b, ${state("b", "Error")} && ${ofTenant} && !${later})`,
  };
}

/** No drill of a tenant has failed since the last that did not, and one has not. */
function drillProbes(tenant: string): readonly ObjectProbe[] {
  const path = `/api/v1/namespaces/${tenantNames(tenant).namespace}`;
  const has = (annotation: string): string => `${JSON.stringify(annotation)} in body.metadata.annotations`;
  return [
    { job: "drills", object: `restore drill of ${tenant}`, tenant, path, holds: `!(${has(failedDrillAnnotation)})` },
    { job: "proofs", object: `any restore drill of ${tenant}`, tenant, path, holds: has(provenAnnotation) },
  ];
}

/** A declared object as the API server keeps it: without what is undefined, and without empty lists. */
function stored<Value>(declared: Value): Value {
  return JSON.parse(
    JSON.stringify(declared, (_key, value: unknown) =>
      Array.isArray(value) && value.length === 0 ? undefined : value,
    ),
  ) as Value;
}
