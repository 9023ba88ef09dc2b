import { domainsAnnotation, policyLabel, tenantLabel, tenantNamePattern, tenantNames } from "../names.ts";
import { quoted } from "./expressions.ts";
import { type AdmissionPolicy, requestsFor } from "./policy.ts";

const podSecurityLabel = "pod-security.kubernetes.io/enforce";

/** A label or annotation of an object, in CEL; empty where there is none. */
function metadata(object: string, field: "labels" | "annotations", key: string): string {
  const map = `${object}.metadata.${field}`;
  return `${object} != null && has(${map}) && ${quoted(key)} in ${map} ? ${map}[${quoted(key)}] : ''`;
}

/**
 * The namespaces of tenants. Every other policy relies on what they say: the tenant, its domains, the level of Pod
 * Security. K3k binds any namespace with its label to a VirtualClusterPolicy; none may have that label without ours.
 */
export const namespacePolicy: AdmissionPolicy = {
  name: "kraft-tenant-namespaces",
  scope: "everywhere",
  requests: [requestsFor("v1", ["namespaces"])],
  conditions: [
    {
      name: "of-a-tenant",
      expression: ["object", "oldObject"]
        .flatMap((object) => [tenantLabel, policyLabel].map((key) => `(${metadata(object, "labels", key)}) != ''`))
        .join(" || "),
    },
  ],
  variables: [
    { name: "tenant", expression: metadata("object", "labels", tenantLabel) },
    { name: "previousTenant", expression: metadata("oldObject", "labels", tenantLabel) },
    { name: "policy", expression: metadata("object", "labels", policyLabel) },
    { name: "domains", expression: metadata("object", "annotations", domainsAnnotation) },
    { name: "podSecurity", expression: metadata("object", "labels", podSecurityLabel) },
    { name: "previousPodSecurity", expression: metadata("oldObject", "labels", podSecurityLabel) },
  ],
  rules: [
    {
      expression: "variables.previousTenant == '' || variables.tenant == variables.previousTenant",
      message: `the label ${tenantLabel} says whose namespace this is and never changes: make another namespace`,
    },
    {
      expression: `variables.tenant.matches(${quoted(tenantNamePattern.source)}) && object.metadata.name == ${quoted(tenantNames("").namespace)} + variables.tenant && variables.policy == ${quoted(tenantNames("").policy)} + variables.tenant`,
      message: `a tenant's namespace needs the labels ${tenantLabel}: <tenant> and ${policyLabel}: tenant-<tenant>, and the name k3k-<tenant>: declare the tenant in the stack file, and Kraft makes it`,
    },
    {
      expression:
        "variables.domains.split(',').all(d, d.matches('^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\\\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$'))",
      message: `the annotation ${domainsAnnotation} must list the tenant's domains in lower case, separated by commas: correct them in the stack file`,
    },
    {
      expression:
        "variables.podSecurity in ['baseline', 'restricted'] || (variables.podSecurity == '' && variables.previousPodSecurity == '')",
      message: `Pod Security of a tenant's namespace is baseline or restricted, never less: set podSecurityAdmissionLevel of its VirtualClusterPolicy`,
    },
  ],
};

/** Refuses everything in a namespace that K3k treats as a tenant's but that lacks our label: no other policy applies there. */
export const unknownTenantPolicy: AdmissionPolicy = {
  name: "kraft-unknown-tenants",
  scope: "unknown-tenants",
  requests: [
    requestsFor("v1", ["configmaps", "persistentvolumeclaims", "pods", "secrets", "services"]),
    requestsFor("networking.k8s.io/v1", ["ingresses"]),
    requestsFor("k3k.io/v1beta1", ["clusters"]),
  ],
  rules: [
    {
      expression: "false",
      message: `this namespace has the label ${policyLabel} but not ${tenantLabel}: declare the tenant in the stack file, or remove the label`,
    },
  ],
};

/** Guest clusters exist only in tenants' namespaces, and without the fields that would open the boundary. */
export const guestPolicy: AdmissionPolicy = {
  name: "kraft-guests",
  scope: "everywhere",
  requests: [requestsFor("k3k.io/v1beta1", ["clusters"])],
  rules: [
    {
      expression: `has(namespaceObject.metadata.labels) && ${quoted(tenantLabel)} in namespaceObject.metadata.labels && namespaceObject.metadata.labels[${quoted(tenantLabel)}] == object.metadata.name`,
      message: `a guest cluster stands in the namespace of its tenant and has the tenant's name: declare the tenant in the stack file`,
    },
    {
      expression: "object.spec.mode == 'shared'",
      message: "a guest cluster runs in shared mode: its nodes in the other modes are privileged pods",
    },
    {
      expression: "!has(object.spec.expose) && !(has(object.spec.mirrorHostNodes) && object.spec.mirrorHostNodes)",
      message: "spec.expose and spec.mirrorHostNodes would open ports of the nodes: remove them",
    },
    {
      expression:
        "!(has(object.spec.sync) && has(object.spec.sync.priorityClasses) && has(object.spec.sync.priorityClasses.enabled) && object.spec.sync.priorityClasses.enabled)",
      message: "spec.sync.priorityClasses would give a tenant precedence over others: leave it off",
    },
  ],
};
