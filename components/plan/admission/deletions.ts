// What nobody may delete in passing, whatever their rights: what holds tenants' data, and what that data depends on.
import { dataGroups, deletionAnnotation, permitCommand } from "../deletion-permission.ts";
import { backupCredentialSecret } from "../longhorn-values.ts";
import { tenantLabel } from "../names.ts";
import { platformNamespaces } from "../network/platform-policies.ts";
import { defaultTarget, tiers } from "../storage.ts";
import { byTenant, list, quoted, syncedNamePattern, valueOr } from "./expressions.ts";
import { type AdmissionPolicy, requestsFor, type Rule } from "./policy.ts";

/** Objects of which a deletion, or another request, is refused without a permission, and the message for it. */
interface Guarded {
  /** API group; empty for Kubernetes' core. */
  readonly group: string;
  readonly resources: string[];
  readonly operation?: "DELETE" | "UPDATE";
  /** Which of them, in CEL; all where it is left out. */
  readonly which?: string;
  /** Whose requests are let through, each in CEL: controllers whose work it is. */
  readonly except?: readonly string[];
  /** What the message calls one of them. */
  readonly what: string;
  /** What would be lost, as a sentence without its full stop. */
  readonly loss: string;
  /** The safe way, as a sentence without its full stop. */
  readonly way: string;
}

function account(namespace: string, name: string): string {
  return `request.userInfo.username == 'system:serviceaccount:${namespace}:${name}'`;
}

/** It deletes what is in a namespace that is being deleted, and nothing else. */
const byNamespaceController = account("kube-system", "namespace-controller");

/** It deletes what belonged to an owner that is gone. */
const byGarbageCollector = `${account("kube-system", "generic-garbage-collector")} && has(oldObject.metadata.ownerReferences)`;

/**
 * Longhorn's managers, its CSI driver and the jobs of its schedules all have this account (`serviceaccount.yaml` of its chart
 * and app/driver.go of longhorn-manager 1.12). So has whoever uses Longhorn's own page, which is why nothing leads to it.
 */
const byLonghorn = account(platformNamespaces.longhorn, "longhorn-service-account");

/** K3k's kubelet of a tenant, for a claim that the tenant has deleted in the guest. */
const bySyncer = `(${byTenant}) && oldObject.metadata.name.matches(${quoted(syncedNamePattern)})`;

/** A namespace of a tenant by its name, which it cannot have without being one (`namespacePolicy`). */
const inTenant = `request.namespace.startsWith('k3k-') && request.namespace != ${quoted(platformNamespaces.k3k)}`;

const inLonghorn = `request.namespace == ${quoted(platformNamespaces.longhorn)}`;

const named = (name: string): string => `oldObject.metadata.name == ${quoted(name)}`;

const ofKraft = "oldObject.metadata.name.startsWith('kraft-')";

const url = (target: string): string => `has(${target}.spec) && ${valueOr(`${target}.spec.backupTargetURL`, "''")}`;

const offboarding = "docs/offboarding.md";

/** A tenant: its guest and all that the guest's data depends on. */
const tenants: readonly Guarded[] = [
  {
    group: "k3k.io",
    resources: ["clusters"],
    except: [byNamespaceController],
    what: "the guest cluster",
    loss: "every volume claim of the tenant would be deleted with it, that of its datastore too",
    way: `Archive the tenant: ${offboarding}`,
  },
  {
    group: "k3k.io",
    resources: ["virtualclusterpolicies"],
    what: "the policy",
    loss: "K3k would take the quota and Pod Security off the tenant's namespace",
    way: `It goes with a tenant that is purged: ${offboarding}`,
  },
  {
    group: "",
    resources: ["namespaces"],
    which: `has(oldObject.metadata.labels) && ${quoted(tenantLabel)} in oldObject.metadata.labels`,
    what: "the tenant's namespace",
    loss: "guest cluster, volume claims and token of the tenant would be deleted with it",
    way: `Archive the tenant, then purge it: ${offboarding}`,
  },
  {
    group: "",
    resources: ["persistentvolumeclaims"],
    which: inTenant,
    // Longhorn deletes the claim of a volume whose deletion has begun (`syncVolume` in its controller/volume_controller.go).
    except: [byNamespaceController, byGarbageCollector, bySyncer, byLonghorn],
    what: "the volume claim",
    loss: "the guest would lose what is in the volume, and start with an empty one",
    way: `A tenant deletes a claim inside the guest; all of them go with a tenant that is archived: ${offboarding}`,
  },
  {
    group: "",
    resources: ["secrets"],
    which: `${inTenant} && oldObject.metadata.name == request.namespace + '-token'`,
    except: [byNamespaceController],
    what: "the guest's token",
    loss: "a guest cannot open its datastore with another token",
    way: `It goes with a tenant that is purged: ${offboarding}`,
  },
  {
    group: "",
    resources: ["secrets"],
    which: `${inTenant} && 'k3k-' + oldObject.metadata.name == request.namespace + '-addons'`,
    except: [byNamespaceController],
    what: "the guest's addons",
    loss: "the guest's server could not start again",
    way: `It goes with a tenant that is archived: ${offboarding}`,
  },
];

/** Longhorn's objects that are data, stand for data in the bucket, or lead to it. */
const longhorn: readonly Guarded[] = [
  {
    group: "longhorn.io",
    resources: ["volumes"],
    except: [byNamespaceController, byGarbageCollector, byLonghorn],
    what: "the volume",
    loss: "all data in it that is not in a backup would be deleted",
    way: "npx kraft reclaim deletes a volume that nobody needs any more",
  },
  {
    group: "longhorn.io",
    resources: ["engines", "replicas"],
    except: [byNamespaceController, byGarbageCollector, byLonghorn],
    what: "this part of a volume",
    loss: "Longhorn would delete a copy of the volume's data, which may be the last one",
    way: "To empty a node, let Longhorn move its copies: docs/runbooks/node-replaced.md",
  },
  {
    group: "longhorn.io",
    resources: ["snapshots"],
    except: [byNamespaceController, byGarbageCollector, byLonghorn],
    what: "the snapshot",
    loss: "the volume could not be taken back to it any more",
    way: "Longhorn's schedules delete old ones themselves: docs/backups.md",
  },
  {
    group: "longhorn.io",
    resources: ["backups", "backupvolumes", "backupbackingimages", "systembackups"],
    except: [byNamespaceController, byGarbageCollector, byLonghorn],
    what: "the backup",
    loss: "Longhorn would delete it in the bucket too",
    way: "Longhorn's schedules delete old ones themselves: docs/backups.md",
  },
  {
    group: "longhorn.io",
    resources: ["backuptargets"],
    which: named(defaultTarget),
    except: [byNamespaceController, byLonghorn],
    what: "the backup target",
    loss: "no volume would be backed up any more, and Longhorn would forget every backup",
    way: "To back up to another bucket, change the stack file: docs/backups.md",
  },
  {
    // Longhorn forgets the backups of a target without a URL as it does those of one that is gone.
    group: "longhorn.io",
    resources: ["backuptargets"],
    operation: "UPDATE",
    which: `${named(defaultTarget)} && (${url("oldObject")}) != '' && (${url("object")}) == ''`,
    except: [byLonghorn],
    what: "the backup target",
    loss: "no volume would be backed up any more, and Longhorn would forget every backup",
    way: "To back up to another bucket, change the stack file: docs/backups.md",
  },
  {
    group: "longhorn.io",
    resources: ["settings"],
    operation: "UPDATE",
    which: `${named("deleting-confirmation-flag")} && object.value == 'true' && oldObject.value != 'true'`,
    what: "the setting",
    loss: "an uninstallation of Longhorn's chart would delete all volumes, and the backups in the bucket",
    way: "A new version of Longhorn is installed without it: docs/updating.md",
  },
];

/** Whatever Longhorn and K3k need to keep what they have. */
const platform: readonly Guarded[] = [
  {
    group: "",
    resources: ["namespaces"],
    which: named(platformNamespaces.longhorn),
    what: "the namespace",
    loss: "all volumes would be deleted with it, and the backups in the bucket",
    way: "Change or update Longhorn with pulumi up: docs/updating.md",
  },
  {
    group: "",
    resources: ["namespaces"],
    which: named(platformNamespaces.k3k),
    what: "the namespace",
    loss: "nothing would keep the guests running any more",
    way: "Change or update K3k with pulumi up: docs/updating.md",
  },
  {
    group: "apiextensions.k8s.io",
    resources: ["customresourcedefinitions"],
    which: `${list(dataGroups)}.exists(g, oldObject.metadata.name.endsWith('.' + g))`,
    what: "the definition",
    loss: "every object of this kind would be deleted with it: guests with their claims, volumes, backups in the bucket",
    way: "A new version of the chart changes it in place: docs/updating.md",
  },
  {
    group: "",
    resources: ["secrets"],
    which: `${inLonghorn} && ${named(backupCredentialSecret)}`,
    except: [byNamespaceController],
    what: "the key to the backups",
    loss: "Longhorn could neither write a backup nor read one",
    way: "To use another key, change the stack file: docs/runbooks/key-leaked.md",
  },
  {
    group: "storage.k8s.io",
    resources: ["storageclasses"],
    which: `oldObject.metadata.name in ${list(tiers.map((tier) => tier.storageClass))}`,
    what: "the storage class",
    loss: "no guest could claim a volume of it, nor a restore",
    way: "Its parameters never change: give a class with others another name",
  },
];

/** What keeps tenants apart and within their limits. */
const boundary: readonly Guarded[] = [
  {
    group: "networking.k8s.io",
    resources: ["networkpolicies"],
    which: ofKraft,
    except: [byNamespaceController],
    what: "the network policy",
    loss: "the namespace would be open to others, or cut off from what it needs",
    way: "pulumi up writes back what was changed by hand",
  },
  {
    group: "",
    resources: ["resourcequotas"],
    which: ofKraft,
    except: [byNamespaceController],
    what: "the quota",
    loss: "nothing would keep the namespace from taking what all tenants share",
    way: "Change the tenant's size or quota in the stack file",
  },
];

/** The permission that an object carries, in CEL; an empty list where it carries none, and where there is no object. */
function permissionOf(object: string): string {
  const annotations = `${object}.metadata.annotations`;
  const key = quoted(deletionAnnotation);
  return `(${object} != null && has(${annotations}) && ${key} in ${annotations} ? [string(${annotations}[${key}])] : [])`;
}

/** The object as the operator writes it behind `kubectl annotate`. */
const operand =
  "request.resource.resource + (request.resource.group == '' ? '' : '.' + request.resource.group) + ' ' + oldObject.metadata.name + " +
  "(has(oldObject.metadata.namespace) ? ' --namespace ' + oldObject.metadata.namespace : '')";

/** `permitCommand` for the object of a request, in CEL. */
const annotate = permitCommand("|")
  .split("|")
  .map((text) => quoted(text))
  .join(" + variables.operand + ");

const variables = [
  { name: "permissions", expression: ["oldObject", "namespaceObject"].map(permissionOf).join(" + ") },
  { name: "operand", expression: operand },
];

/** True, in CEL, for a request that is refused without a permission. */
function applies({ group, resources, operation = "DELETE", which, except = [] }: Guarded): string {
  return [
    `request.operation == '${operation}'`,
    `request.resource.group == '${group}'`,
    `request.resource.resource in ${list(resources)}`,
    ...(which === undefined ? [] : [`(${which})`]),
    ...except.map((controller) => `!(${controller})`),
  ].join(" && ");
}

function ruleFor(guarded: Guarded): Rule {
  const { what, loss, way, operation = "DELETE" } = guarded;
  const refused = operation === "DELETE" ? "deleted" : "changed";
  const beginning = `was not ${refused}: ${loss}. ${way}. As a last resort, permit it for two days: `;
  return {
    expression: `!(${applies(guarded)}) || variables.permissions.size() > 0`,
    message: `${what} ${beginning}annotate it with ${deletionAnnotation} and today's date in UTC`,
    messageExpression: `${quoted(`${what} `)} + oldObject.metadata.name + ${quoted(` ${beginning}`)} + ${annotate}`,
    reason: "Forbidden",
  };
}

function policyFor(
  name: string,
  guarded: readonly Guarded[],
  rules: AdmissionPolicy["rules"],
  more: Pick<AdmissionPolicy, "clock" | "variables"> = {},
): AdmissionPolicy {
  return {
    name,
    scope: "everywhere",
    requests: guarded.map(({ group, resources, operation = "DELETE" }) =>
      requestsFor(group === "" ? "*" : `${group}/*`, resources, [operation]),
    ),
    conditions: [
      // An object that is already being deleted: another request changes nothing.
      { name: "not-yet-deleted", expression: "!has(oldObject.metadata.deletionTimestamp)" },
      { name: "guarded", expression: guarded.map((one) => `(${applies(one)})`).join(" || ") },
    ],
    variables: [...variables, ...(more.variables ?? [])],
    rules: [...rules],
    ...(more.clock === true && { clock: true }),
  };
}

const groups = {
  "kraft-deletions-of-tenants": tenants,
  "kraft-deletions-of-longhorn": longhorn,
  "kraft-deletions-of-platform": platform,
  "kraft-deletions-of-boundary": boundary,
} as const;

const day = (time: string): string => `string(${time}).substring(0, 10)`;

const now = "timestamp(params.spec.renewTime)";

/**
 * Lets a permission count on its day and on the next, in UTC, and on no other. It is a policy of its own, since the API server
 * looks for the clock before it looks at any condition: one that needs the clock would refuse every deletion of these kinds,
 * those of controllers too, while there is none.
 */
const datePolicy = policyFor(
  "kraft-deletion-dates",
  Object.values(groups).flat(),
  [
    {
      expression: "variables.permissions.size() == 0 || variables.permissions.exists(p, p in variables.days)",
      message: `the permission in ${deletionAnnotation} is not valid today: it is valid on its date and on the day after, in UTC`,
      messageExpression:
        "oldObject.metadata.name + ' was not ' + (request.operation == 'DELETE' ? 'deleted' : 'changed') + ': its permission ' + variables.permissions.join(', ') + ' is not valid on ' + variables.days[0] + '. " +
        `It is valid on its date and on the day after, in UTC. To permit it again: ' + ${annotate}`,
      reason: "Forbidden",
    },
  ],
  {
    clock: true,
    variables: [{ name: "days", expression: `[${day(now)}, ${day(`${now} - duration('24h')`)}]` }],
  },
);

/**
 * The policies that refuse, whoever asks, to delete what holds tenants' data and what that data depends on. Let through are
 * the controllers whose work it is, each for its own kinds, and whatever has a permission (`plan/deletion-permission.ts`) that counts
 * today: the object itself, or its namespace.
 *
 * They name kinds that may not exist yet, and hold from the moment that those do.
 */
export const deletionPolicies: readonly AdmissionPolicy[] = [
  ...Object.entries(groups).map(([name, guarded]) => policyFor(name, guarded, guarded.map(ruleFor))),
  datePolicy,
];
