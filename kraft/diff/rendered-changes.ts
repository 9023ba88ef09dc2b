import { type FieldChange, fieldChanges } from "../../infra/drift/fields.ts";
import { ownerOf } from "../../infra/drift/owner.ts";
import { type Change, change, sorted } from "./change.ts";
import { secret } from "./redact.ts";
import type { RenderedObject, RenderedObjects } from "./rendering.ts";

/** Immutable properties by `apiVersion/kind`: to change one, the provider replaces the object. */
const immutable: Readonly<Record<string, RegExp>> = {
  "v1/PersistentVolumeClaim":
    /^spec\.(accessModes|dataSource|dataSourceRef|selector|storageClassName|volumeMode|volumeName)($|[.[])/,
  "v1/PersistentVolume": /^spec\.(csi|hostPath|local|nfs|nodeAffinity|storageClassName|volumeMode)($|[.[])/,
  "v1/Service": /^spec\.clusterIPs?($|[.[])/,
  "storage.k8s.io/v1/StorageClass": /^(parameters|provisioner|reclaimPolicy|volumeBindingMode)($|[.[])/,
  "apps/v1/DaemonSet": /^spec\.selector($|[.[])/,
  "apps/v1/Deployment": /^spec\.selector($|[.[])/,
  "apps/v1/StatefulSet": /^spec\.(podManagementPolicy|selector|serviceName|volumeClaimTemplates)($|[.[])/,
  "batch/v1/Job": /^spec\.(completions|selector|template)($|[.[])/,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": /^roleRef($|[.[])/,
  "rbac.authorization.k8s.io/v1/RoleBinding": /^roleRef($|[.[])/,
  "pulumi/v1/kubernetes": /^spec\.clusterIdentifier$/,
  "aws:s3/bucket:Bucket/Bucket": /^spec\.(bucket|region)$/,
  "aws:s3/bucketVersioning:BucketVersioning/BucketVersioning": /^spec\.(bucket|region)$/,
  "aws:iam/accessKey:AccessKey/AccessKey": /^spec\.user$/,
  "aws:iam/userPolicy:UserPolicy/UserPolicy": /^spec\.(name|user)$/,
};

/** The changes from one rendering to another, sorted for display. */
export function changesBetween(base: RenderedObjects, head: RenderedObjects): Change[] {
  const keys = [...new Set([...base.keys(), ...head.keys()])];
  return sorted(keys.flatMap((key) => changesTo(base.get(key), head.get(key))));
}

function changesTo(old: RenderedObject | undefined, next: RenderedObject | undefined): Change[] {
  const object = old ?? next;
  if (object === undefined) {
    return [];
  }
  const { apiVersion, kind, metadata, pulumi } = object;
  const { resource, parent } = pulumi;
  const named = { namespace: metadata.namespace, name: metadata.name };
  // A rendering has the name of a component and not its type; a tenant's is known by its name.
  const inTenant = resource.startsWith("tenant-") && parent?.startsWith("tenant-") === true;
  const identity = { owner: ownerOf(resource, inTenant, object), apiVersion, kind, ...named, resource };
  if (old === undefined) {
    return [change(identity, "create")];
  }
  // What is protected now the engine refuses to change, whatever the new program says of protection.
  if (next === undefined) {
    return [change(identity, "delete", [], pulumi)];
  }
  const fields = fieldChanges(old, next).map((field) => marked(field, old));
  const isReplaced = fields.some(({ forcesReplacement }) => forcesReplacement === true);
  return fields.length === 0 ? [] : [change(identity, isReplaced ? "replace" : "update", fields, pulumi)];
}

function marked(field: FieldChange, object: RenderedObject): FieldChange {
  // Fingerprints are for comparing; what is shown is only that there is a secret.
  const shown = JSON.parse(JSON.stringify(field).replace(/\[secret [0-9a-f]{12}\]/g, secret)) as FieldChange;
  const isImmutable =
    (object["immutable"] === true && /^(data|stringData|type|immutable)($|[.[])/.test(field.path)) ||
    immutable[`${object.apiVersion}/${object.kind}`]?.test(field.path) === true;
  // To the engine another name is another resource: it deletes the one and creates the other.
  const isRenamed = field.path === "pulumi.resource" || field.path === "pulumi.parent";
  return isImmutable || isRenamed ? { ...shown, forcesReplacement: true } : shown;
}
