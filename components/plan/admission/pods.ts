import { clusterLabel } from "../names.ts";
import { priorityClasses } from "../size.ts";
import {
  affinityTerms,
  byTenant,
  byWorkloadController,
  everyContainer,
  isNew,
  list,
  quoted,
  syncedNamePattern,
  valueOr,
} from "./expressions.ts";
import { accountRule, claimTemplateRules, copyRules, type GuestLimits, largestPodRules } from "./guest-rules.ts";
import { podSecurityRules, profileRule } from "./pod-security-rules.ts";
import { type AdmissionPolicy, requestsFor, type Rule } from "./policy.ts";
import { qosClassRule } from "./qos-class.ts";
import { rawPacketsRule } from "./raw-packets.ts";
import { seccompRule } from "./seccomp.ts";

/** Volumes that stay inside the tenant's namespace. NFS and iSCSI are mounted by the node, past all NetworkPolicies. */
const volumeTypes = [
  "configMap",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** The operator keeps tenants off a node by taints with this prefix. */
const platformTaints = "kraft.dev/";

/** Seconds. Preemption and the draining of a node wait that long for a pod to end. */
export const longestGracePeriod = 3600;

/** The resources of a container that quotas count. */
const countedResources = ["cpu", "memory", "ephemeral-storage"];

const systemPriorityRule: Rule = {
  expression: "!variables.priorityClass.startsWith('system-') || variables.isCoreDns",
  message:
    "priorityClassName may not begin with system-: remove it, or use a priority class of your own, which counts inside the guest only",
};

/**
 * The guest's name server keeps the label by which its Service on the host finds it. Whenever a kubelet of K3k 1.1.0 starts, it
 * replaces the labels of its pods by those of the guest (k3k-kubelet/provider/provider.go, updatePod), and from then on no pod
 * of the guest would find a name. Refused, K3k tries again for up to an hour, and other pods do not wait for it. K3k 1.2.0
 * keeps the label.
 */
const nameServerRule: Rule = {
  expression: "!variables.isCoreDns || !variables.losesItsGuest",
  message: `the label ${clusterLabel} may not be taken from the guest's name server: its Service would not find it any more`,
};

const requests = [requestsFor("v1", ["pods", "pods/ephemeralcontainers"])];

const variables = [
  { name: "labels", expression: valueOr("object.metadata.labels", "{}") },
  { name: "volumes", expression: valueOr("object.spec.volumes", "[]") },
  { name: "tolerations", expression: valueOr("object.spec.tolerations", "[]") },
  { name: "priorityClass", expression: valueOr("object.spec.priorityClassName", "''") },
];

/**
 * The pods of a tenant on the host, beyond what Pod Security forbids: no identity and no secret but their own, no
 * priority over others, no way past the scheduler, no labels of K3k's own pods.
 *
 * K3k copies a guest's pod almost unchanged. Its own server and kubelets are created by controllers that tenants cannot
 * reach, and are not checked.
 */
export const hostPodPolicy: AdmissionPolicy = {
  name: "kraft-tenant-pods",
  scope: "tenants",
  requests,
  conditions: [
    {
      name: "made-or-changed-by-a-tenant",
      // Creations are checked whoever makes them; changes by others than tenants are bookkeeping of controllers.
      expression: `${isNew} ? !(${byWorkloadController}) : (${byTenant})`,
    },
  ],
  variables: [
    ...variables,
    {
      // By its translated name: K3k 1.1.0 removes every other mark when the pod's labels change.
      name: "isCoreDns",
      expression: "object.metadata.name.matches('^coredns-[a-z0-9-]*-kube-system-')",
    },
    {
      name: "losesItsGuest",
      expression:
        `request.operation == 'UPDATE' && '${clusterLabel}' in (${valueOr("oldObject.metadata.labels", "{}")}) && ` +
        `!('${clusterLabel}' in variables.labels)`,
    },
  ],
  rules: [
    ...identityRules(),
    ...volumeRules(),
    ...referenceRules(),
    ...priorityRules(),
    ...schedulingRules(),
    {
      expression: `request.operation != 'CREATE' || !(${byTenant}) || !has(object.spec.nodeName) || object.spec.nodeName == ''`,
      message: "spec.nodeName would pass by the scheduler: remove it",
    },
    ...resourceRules(),
    profileRule(),
    rawPacketsRule,
    seccompRule,
    qosClassRule,
    labelRule("request.namespace == 'k3k-' + variables.labels['cluster']"),
    nameServerRule,
  ],
};

/**
 * The same in a guest, as far as it can be checked there, with what Pod Security says on the host: K3k retries a pod that only
 * the host refuses again and again, which keeps the tenant's other pods waiting. K3k's own pods have the tenant's name as a
 * label.
 */
export function guestPodPolicy(tenant: string, limits: GuestLimits): AdmissionPolicy {
  return {
    name: "kraft-tenant-pods",
    scope: "everywhere",
    requests,
    conditions: [
      {
        // Else nobody could take the finalizers from a pod that runs and that a new rule, or a smaller size, would refuse.
        name: "new-or-changed",
        expression:
          `${isNew} || object.spec != oldObject.spec || ` +
          `(${valueOr("object.metadata.labels", "{}")}) != (${valueOr("oldObject.metadata.labels", "{}")})`,
      },
    ],
    variables: [
      ...variables,
      {
        name: "isCoreDns",
        expression: "request.namespace == 'kube-system' && object.metadata.name.startsWith('coredns-')",
      },
    ],
    // The API server has mounted a token by now, or not.
    rules: [
      ...guestPodRules(
        tenant,
        "object.spec",
        limits,
        "!variables.volumes.exists(v, v.name.startsWith('kube-api-access'))",
      ),
      qosClassRule,
    ],
  };
}

// `dyn`, since only a CronJob has the template elsewhere.
const templateOf = (object: string): string =>
  `(has(dyn(${object}).spec.jobTemplate) ? dyn(${object}).spec.jobTemplate.spec.template : dyn(${object}).spec.template)`;

/**
 * Where a policy on the templates of pods applies in a guest: to what a person writes, a ReplicaSet of its own among it, and only
 * where the template is new or changed, so that what there is can be scaled and deleted.
 */
export const writtenTemplates = {
  requests: [
    requestsFor("apps/v1", ["daemonsets", "deployments", "replicasets", "statefulsets"]),
    requestsFor("batch/v1", ["cronjobs", "jobs"]),
    requestsFor("v1", ["replicationcontrollers"]),
  ],
  conditions: [
    {
      // That of a Deployment has been looked at already.
      name: "not-of-a-deployment",
      expression:
        "request.resource.resource != 'replicasets' || !has(object.metadata.ownerReferences) || " +
        "!object.metadata.ownerReferences.exists(o, o.kind == 'Deployment')",
    },
    {
      name: "new-or-changed",
      expression: `${isNew} || ${templateOf("object")} != ${templateOf("oldObject")}`,
    },
  ],
  variables: [
    { name: "template", expression: templateOf("object") },
    { name: "spec", expression: "variables.template.spec" },
  ],
} satisfies Pick<AdmissionPolicy, "requests" | "conditions" | "variables">;

/**
 * The templates that pods are made of in a guest. Of a pod that a controller may not make, the tenant would read nothing but an
 * event of a ReplicaSet or a Job: here `kubectl apply` says it.
 */
export function guestTemplatePolicy(tenant: string, limits: GuestLimits): AdmissionPolicy {
  return {
    ...writtenTemplates,
    name: "kraft-tenant-templates",
    scope: "everywhere",
    variables: [
      ...writtenTemplates.variables,
      {
        name: "labels",
        expression:
          "has(variables.template.metadata) && has(variables.template.metadata.labels) ? variables.template.metadata.labels : {}",
      },
      { name: "volumes", expression: valueOr("variables.spec.volumes", "[]") },
      { name: "tolerations", expression: valueOr("variables.spec.tolerations", "[]") },
      { name: "priorityClass", expression: valueOr("variables.spec.priorityClassName", "''") },
      {
        name: "isCoreDns",
        expression: "request.namespace == 'kube-system' && object.metadata.name == 'coredns'",
      },
    ],
    rules: [
      ...guestPodRules(
        tenant,
        "variables.spec",
        limits,
        "has(variables.spec.automountServiceAccountToken) && !variables.spec.automountServiceAccountToken",
      ),
      ...claimTemplateRules(valueOr("dyn(object).spec.volumeClaimTemplates", "[]"), "volumeClaimTemplates", limits),
    ],
  };
}

function guestPodRules(tenant: string, spec: string, limits: GuestLimits, mountsNoToken: string): readonly Rule[] {
  const ephemeral =
    "variables.volumes.filter(v, has(v.ephemeral) && has(v.ephemeral.volumeClaimTemplate)).map(v, v.ephemeral.volumeClaimTemplate)";
  return [
    ...volumeRules(spec),
    systemPriorityRule,
    ...schedulingRules(spec),
    ...resourceRules(spec),
    labelRule(`variables.labels['cluster'] == ${quoted(tenant)}`),
    ...podSecurityRules(spec),
    ...copyRules(spec),
    ...(limits.keepsAccounts ? [accountRule(mountsNoToken, spec)] : []),
    ...(limits.largest === undefined ? [] : largestPodRules(limits.largest, spec)),
    ...claimTemplateRules(ephemeral, "an ephemeral volume", limits),
  ];
}

/** True, in CEL, if a name is that of an object that K3k copied from the guest. */
function synced(name: string): string {
  return `${name}.matches(${quoted(syncedNamePattern)})`;
}

function identityRules(): readonly Rule[] {
  return [
    {
      expression:
        "(!has(object.spec.serviceAccountName) || object.spec.serviceAccountName in ['', 'default']) && " +
        "(!has(object.spec.serviceAccount) || object.spec.serviceAccount in ['', 'default'])",
      message:
        "a pod may not run as a service account of the host: let the pod mount its token (automountServiceAccountToken: true), then K3k replaces it by the guest's own",
    },
    {
      expression:
        "variables.volumes.all(v, !has(v.projected) || !has(v.projected.sources) || v.projected.sources.all(s, " +
        "has(s.secret) || has(s.configMap) || has(s.downwardAPI)))",
      message:
        "a volume may not hold a token, a trust bundle or a certificate of the host: project secrets, config maps and the downward API only",
    },
  ];
}

function volumeRules(spec?: string): readonly Rule[] {
  const ofAllowedType = volumeTypes.map((type) => `has(v.${type})`).join(" || ");
  const allowed = `a volume may be one of ${volumeTypes.join(", ")}`;
  const fix = "use a persistentVolumeClaim for data, and reach other storage over the network";
  return [
    {
      expression: `variables.volumes.all(v, ${ofAllowedType})`,
      message: `${allowed}: ${fix}`,
      messageExpression: `'${allowed}; none of these is: ' + variables.volumes.filter(v, !(${ofAllowedType})).map(v, v.name).join(', ') + '; ${fix}'`,
    },
    {
      expression:
        "variables.volumes.all(v, !has(v.ephemeral) || !has(v.ephemeral.volumeClaimTemplate) || " +
        "!has(v.ephemeral.volumeClaimTemplate.spec.volumeName) || v.ephemeral.volumeClaimTemplate.spec.volumeName == '')",
      message: "the volumeName of an ephemeral volume would take an existing volume: remove it",
    },
    {
      // Pod Security allows all of /proc to a pod with a user namespace of its own.
      expression: everyContainer(
        "!has(c.securityContext) || !has(c.securityContext.procMount) || c.securityContext.procMount == 'Default'",
        spec,
      ),
      message: "securityContext.procMount must be Default: remove it",
    },
  ];
}

function referenceRules(): readonly Rule[] {
  const own = "of the guest; K3k translates the names, except in volumes called kube-api-access*: rename those";
  const environment =
    "(!has(c.env) || c.env.all(e, !has(e.valueFrom) || (" +
    `(!has(e.valueFrom.secretKeyRef) || ${synced("e.valueFrom.secretKeyRef.name")}) && ` +
    `(!has(e.valueFrom.configMapKeyRef) || ${synced("e.valueFrom.configMapKeyRef.name")})))) && ` +
    "(!has(c.envFrom) || c.envFrom.all(e, " +
    `(!has(e.secretRef) || ${synced("e.secretRef.name")}) && (!has(e.configMapRef) || ${synced("e.configMapRef.name")})))`;
  return [
    {
      expression:
        `variables.volumes.all(v, (!has(v.secret) || ${synced("v.secret.secretName")}) && ` +
        `(!has(v.configMap) || ${synced("v.configMap.name")}) && ` +
        `(!has(v.persistentVolumeClaim) || ${synced("v.persistentVolumeClaim.claimName")}))`,
      message: `a volume may use secrets, config maps and claims ${own}`,
    },
    {
      expression:
        "variables.volumes.all(v, !has(v.projected) || !has(v.projected.sources) || v.projected.sources.all(s, " +
        `(!has(s.secret) || ${synced("s.secret.name")}) && (!has(s.configMap) || ${synced("s.configMap.name")})))`,
      message: `a projected volume may use secrets and config maps ${own}`,
    },
    {
      expression: everyContainer(environment),
      message: "the environment of a container may come from secrets and config maps of the guest only",
    },
    {
      expression: `!has(object.spec.imagePullSecrets) || object.spec.imagePullSecrets.all(s, has(s.name) && ${synced("s.name")})`,
      message: "imagePullSecrets may name secrets of the guest only",
    },
  ];
}

function priorityRules(): readonly Rule[] {
  const requested = (name: string): string => `quantity(string(dyn(c.resources).requests['${name}']))`;
  const limited = "quantity(string(dyn(c.resources).limits['memory']))";
  return [
    systemPriorityRule,
    {
      expression:
        `variables.priorityClass in ['system-cluster-critical', ${quoted(priorityClasses.tenant)}] || ` +
        `(variables.priorityClass == '' && !(${byTenant}))`,
      message: `a tenant's pod has the priority class ${priorityClasses.tenant} on the host, which K3k gives it: its VirtualClusterPolicy has lost defaultPriorityClass`,
    },
    {
      // Such a pod counts against the quota for K3k itself, and no node ever evicts it.
      expression:
        "variables.priorityClass != 'system-cluster-critical' || (!has(object.spec.initContainers) && " +
        "object.spec.containers.size() == 1 && object.spec.containers.all(c, has(c.resources) && " +
        // `dyn`, since Kubernetes publishes no type for resources.
        "has(dyn(c.resources).requests) && has(dyn(c.resources).limits) && " +
        "['cpu', 'memory'].all(r, r in dyn(c.resources).requests) && 'memory' in dyn(c.resources).limits && " +
        `${requested("cpu")}.compareTo(quantity('100m')) >= 0 && ${requested("memory")}.compareTo(quantity('70Mi')) <= 0 && ` +
        `${limited}.compareTo(quantity('256Mi')) <= 0))`,
      message:
        "a CoreDNS with the priority system-cluster-critical must be as K3s makes it: one container that requests 100m of CPU and up to 70Mi of memory, limited to 256Mi",
    },
  ];
}

function schedulingRules(spec = "object.spec"): readonly Rule[] {
  return [
    {
      expression: "variables.tolerations.all(t, has(t.key) && t.key != '')",
      message:
        "a toleration without a key (operator: Exists) is for every node there is: name the taints that your pod is meant to tolerate",
    },
    {
      expression:
        `variables.tolerations.all(t, !has(t.key) || (!t.key.startsWith(${quoted(platformTaints)}) && ` +
        "(t.key != 'CriticalAddonsOnly' || variables.isCoreDns)))",
      message: `taints of ${platformTaints} and CriticalAddonsOnly keep nodes to the platform: remove the toleration`,
    },
    {
      expression: ["podAffinity", "podAntiAffinity"].map((kind) => withinNamespace(kind, spec)).join(" && "),
      message:
        "pod affinity may not name namespaces: remove namespaces and namespaceSelector, on the host all namespaces of a guest are one",
    },
    {
      expression: `!has(${spec}.schedulerName) || ${spec}.schedulerName in ['', 'default-scheduler']`,
      message: "spec.schedulerName must be default-scheduler: remove it",
    },
    {
      expression: `!has(${spec}.runtimeClassName) || ${spec}.runtimeClassName == ''`,
      message: "spec.runtimeClassName is not allowed: remove it",
    },
    {
      expression: `!has(${spec}.terminationGracePeriodSeconds) || ${spec}.terminationGracePeriodSeconds <= ${longestGracePeriod}`,
      message: `terminationGracePeriodSeconds may be up to ${longestGracePeriod}: a node that is drained waits for it`,
    },
  ];
}

function resourceRules(spec = "object.spec"): readonly Rule[] {
  const counted = (field: "limits" | "requests"): string =>
    `(!has(dyn(c.resources).${field}) || dyn(c.resources).${field}.all(r, r in ${list(countedResources)}))`;
  return [
    {
      expression: everyContainer(`!has(c.resources) || (${counted("limits")} && ${counted("requests")})`, spec),
      message: `a container may request only ${countedResources.join(", ")}: nothing else of a node is shared out`,
    },
    {
      expression: `!has(${spec}.resourceClaims) || ${spec}.resourceClaims.size() == 0`,
      message: "spec.resourceClaims is not allowed: the nodes have no devices to share",
    },
  ];
}

/** Required anti-affinity works both ways: across namespaces it would keep everybody else's pods off a node. */
function withinNamespace(kind: string, spec: string): string {
  return affinityTerms(kind, spec, (term) => `!has(${term}.namespaces) && !has(${term}.namespaceSelector)`);
}

/** @param ofThisGuest Whether the label `cluster` is this guest's, in CEL. */
function labelRule(ofThisGuest: string): Rule {
  return {
    expression:
      `!('cluster' in variables.labels && ${ofThisGuest} && (` +
      "('role' in variables.labels && variables.labels['role'] == 'server') || " +
      "('type' in variables.labels && variables.labels['type'] == 'agent' && " +
      "'mode' in variables.labels && variables.labels['mode'] == 'shared')))",
    message:
      "the labels cluster with role: server, or with type: agent and mode: shared, are those of K3k's own pods: rename one of them",
  };
}
