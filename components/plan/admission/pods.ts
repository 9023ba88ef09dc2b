import { priorityClasses } from "../size.ts";
import { byTenant, byWorkloadController, syncedName } from "./identities.ts";
import { quoted, type AdmissionPolicy, type Rule } from "./policy.ts";

/** Kinds of volumes that stay inside the tenant's namespace. NFS or iSCSI the node itself would mount, past all policies. */
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

/** Taints of this prefix are the operator's means to keep tenants off a node. */
const platformTaints = "kraft.dev/";

/**
 * The pods of a tenant on the host, beyond what Pod Security forbids: no identity and no secret but their own, no
 * precedence over others, no way past the scheduler, no labels of K3k's own pods.
 *
 * K3k copies a guest's pod almost as it stands. Its own server and kubelets are made by controllers that tenants cannot
 * reach, and are not looked at.
 */
export const podPolicy: AdmissionPolicy = {
  name: "kraft-tenant-pods",
  scope: "tenants",
  requests: [
    {
      apiGroups: [""],
      apiVersions: ["v1"],
      resources: ["pods", "pods/ephemeralcontainers"],
      operations: ["CREATE", "UPDATE"],
    },
  ],
  conditions: [
    {
      name: "made-or-changed-by-a-tenant",
      // Changes by others are bookkeeping of controllers; who creates a pod is looked at whoever it is.
      expression: `request.operation == 'CREATE' ? !(${byWorkloadController}) : (${byTenant})`,
    },
  ],
  variables: [
    { name: "labels", expression: "has(object.metadata.labels) ? object.metadata.labels : {}" },
    { name: "volumes", expression: "has(object.spec.volumes) ? object.spec.volumes : []" },
    { name: "tolerations", expression: "has(object.spec.tolerations) ? object.spec.tolerations : []" },
    { name: "priorityClass", expression: "has(object.spec.priorityClassName) ? object.spec.priorityClassName : ''" },
    {
      // By its translated name: release 1.1.0 of K3k takes every other mark away when the pod's labels change.
      name: "isCoreDns",
      expression: "object.metadata.name.matches('^coredns-[a-z0-9-]*-kube-system-')",
    },
  ],
  rules: [...identityRules(), ...volumeRules(), ...schedulingRules(), labelRule()],
};

/** An expression about a container `c`, for every container of a pod. */
function everyContainer(expression: string): string {
  return ["containers", "initContainers", "ephemeralContainers"]
    .map((field) => `(!has(object.spec.${field}) || object.spec.${field}.all(c, ${expression}))`)
    .join(" && ");
}

/** Whether a name, where there is one, is of an object that K3k copied from the guest. */
function synced(name: string): string {
  return `${name}.matches(${quoted(syncedName)})`;
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
    {
      // Pod Security lets a pod with users of its own see all of it.
      expression: everyContainer(
        "!has(c.securityContext) || !has(c.securityContext.procMount) || c.securityContext.procMount == 'Default'",
      ),
      message: "securityContext.procMount must be Default: remove it",
    },
  ];
}

function volumeRules(): readonly Rule[] {
  const own = "of the guest; K3k translates the names, except in volumes called kube-api-access*: rename those";
  const environment =
    "(!has(c.env) || c.env.all(e, !has(e.valueFrom) || (" +
    `(!has(e.valueFrom.secretKeyRef) || ${synced("e.valueFrom.secretKeyRef.name")}) && ` +
    `(!has(e.valueFrom.configMapKeyRef) || ${synced("e.valueFrom.configMapKeyRef.name")})))) && ` +
    "(!has(c.envFrom) || c.envFrom.all(e, " +
    `(!has(e.secretRef) || ${synced("e.secretRef.name")}) && (!has(e.configMapRef) || ${synced("e.configMapRef.name")})))`;
  return [
    {
      expression: `variables.volumes.all(v, ${volumeTypes.map((type) => `has(v.${type})`).join(" || ")})`,
      message: `a volume may be one of ${volumeTypes.join(", ")}: use a persistentVolumeClaim for data, and reach other storage over the network`,
    },
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

function schedulingRules(): readonly Rule[] {
  return [
    {
      expression:
        `${byTenant} ? (variables.priorityClass == ${quoted(priorityClasses.tenant)} || ` +
        "(variables.priorityClass == 'system-cluster-critical' && variables.isCoreDns)) : " +
        `variables.priorityClass in ['', ${quoted(priorityClasses.tenant)}]`,
      message:
        "priorityClassName may not begin with system-: remove it, or use a priority class of your own, which counts inside the guest only",
    },
    {
      // Each of them counts in the share that is kept for K3k itself: as large as CoreDNS, so that few fit.
      expression:
        "variables.priorityClass != 'system-cluster-critical' || object.spec.containers.all(c, has(c.resources) && " +
        // Kubernetes publishes no type for it.
        "has(dyn(c.resources).requests) && 'cpu' in dyn(c.resources).requests && " +
        "quantity(string(dyn(c.resources).requests['cpu'])).compareTo(quantity('100m')) >= 0)",
      message: "a CoreDNS with the priority system-cluster-critical must request 100m of CPU, as K3s' own does",
    },
    {
      expression:
        `variables.tolerations.all(t, has(t.key) && t.key != '' && !t.key.startsWith(${quoted(platformTaints)}) && ` +
        "(t.key != 'CriticalAddonsOnly' || variables.isCoreDns))",
      message: `a toleration needs a key, and not one of ${platformTaints} or CriticalAddonsOnly: name the taints that your pod is meant to tolerate`,
    },
    {
      expression: (["podAffinity", "podAntiAffinity"] as const).map(withinNamespace).join(" && "),
      message:
        "pod affinity may not name namespaces: remove namespaces and namespaceSelector, on the host all namespaces of a guest are one",
    },
    {
      expression: `request.operation != 'CREATE' || !(${byTenant}) || !has(object.spec.nodeName) || object.spec.nodeName == ''`,
      message: "spec.nodeName would pass by the scheduler: remove it",
    },
    {
      expression: "!has(object.spec.schedulerName) || object.spec.schedulerName in ['', 'default-scheduler']",
      message: "spec.schedulerName must be default-scheduler: remove it",
    },
    {
      expression: "!has(object.spec.runtimeClassName) || object.spec.runtimeClassName == ''",
      message: "spec.runtimeClassName is not allowed: remove it",
    },
    {
      expression: "!has(object.spec.resourceClaims) || object.spec.resourceClaims.size() == 0",
      message: "spec.resourceClaims is not allowed: the nodes have no devices to share",
    },
  ];
}

/** Required anti-affinity works both ways: across namespaces it would keep everybody else's pods from a node. */
function withinNamespace(kind: "podAffinity" | "podAntiAffinity"): string {
  const own = (term: string): string => `!has(${term}.namespaces) && !has(${term}.namespaceSelector)`;
  const affinity = `object.spec.affinity.${kind}`;
  const required = `${affinity}.requiredDuringSchedulingIgnoredDuringExecution`;
  const preferred = `${affinity}.preferredDuringSchedulingIgnoredDuringExecution`;
  return (
    `(!has(object.spec.affinity) || !has(${affinity}) || (` +
    `(!has(${required}) || ${required}.all(t, ${own("t")})) && ` +
    `(!has(${preferred}) || ${preferred}.all(t, ${own("t.podAffinityTerm")}))))`
  );
}

function labelRule(): Rule {
  return {
    expression:
      "!('cluster' in variables.labels && 'k3k-' + variables.labels['cluster'] == request.namespace && (" +
      "('role' in variables.labels && variables.labels['role'] == 'server') || " +
      "('type' in variables.labels && variables.labels['type'] == 'agent' && " +
      "'mode' in variables.labels && variables.labels['mode'] == 'shared')))",
    message:
      "the labels cluster with role: server, or with type: agent and mode: shared, are those of K3k's own pods: rename one of them",
  };
}
