import { parse } from "yaml";
import { identityOf, sorted, type Change } from "./changes.ts";
import { lossWith } from "./data.ts";
import { fieldChanges, secret, type FieldChange } from "./fields.ts";
import type { ProgramSide, Rendered } from "./rendered.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Properties that no API server changes in place, by `apiVersion/kind`: the provider replaces the object. */
const replacing: Readonly<Record<string, RegExp>> = {
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

/** What would have to be done to come from one rendering to another. */
export function changesBetween(base: Rendered, head: Rendered): Change[] {
  const keys = [...new Set([...base.keys(), ...head.keys()])];
  return sorted(keys.flatMap((key) => changeOf(base.get(key), head.get(key))));
}

function changeOf(base: string | undefined, head: string | undefined): Change[] {
  if (base === head) {
    return [];
  }
  const [old, next] = [base, head].map((text) => (text === undefined ? undefined : (parse(text) as Fields)));
  const object = old ?? next ?? {};
  const side = object["pulumi"] as ProgramSide;
  const identity = {
    ...identityOf(urnOf(side), object),
    apiVersion: String(object["apiVersion"]),
    kind: String(object["kind"]),
  };
  const loss = lossWith(identity);
  if (old === undefined) {
    return [{ ...identity, operation: "create", fields: [] }];
  }
  if (next === undefined) {
    const kept = side.retainOnDelete === true;
    return [
      {
        ...identity,
        operation: "delete",
        fields: [],
        ...(loss === undefined ? {} : { loss }),
        ...(kept ? { kept } : {}),
        ...refusal(side),
      },
    ];
  }
  const fields = fieldChanges(old, next).map((field) => marked(field, old));
  const isReplaced = fields.some(({ forcesReplacement }) => forcesReplacement === true);
  return fields.length === 0
    ? []
    : [
        isReplaced
          ? { ...identity, operation: "replace", fields, ...(loss === undefined ? {} : { loss }), ...refusal(side) }
          : { ...identity, operation: "update", fields },
      ];
}

/** What is protected now the engine will not touch, whatever the new program says of protection. */
function refusal({ protect }: ProgramSide): { readonly refused?: true } {
  return protect === true ? { refused: true } : {};
}

/** The component is in the URN by its type only, which a rendering does not know; a tenant's is known by the name. */
function urnOf({ resource, parent }: ProgramSide): string {
  const isTenants = resource.startsWith("tenant-") && parent?.startsWith("tenant-") === true;
  return `urn:pulumi:rendered::kraft::${isTenants ? "kraft:index:Tenant$" : ""}object::${resource}`;
}

function marked(field: FieldChange, object: Fields): FieldChange {
  const hidden = hiddenIn(field);
  const isImmutable = object["immutable"] === true && /^(data|stringData|type|immutable)($|[.[])/.test(field.path);
  const isReplacing = replacing[`${String(object["apiVersion"])}/${String(object["kind"])}`]?.test(field.path) === true;
  // To the engine another name is another resource: it deletes the one and creates the other.
  const isRenamed = field.path === "pulumi.resource" || field.path === "pulumi.parent";
  return isImmutable || isReplacing || isRenamed ? { ...hidden, forcesReplacement: true } : hidden;
}

/** Fingerprints were for comparing; what is shown is that there is a secret. */
function hiddenIn(field: FieldChange): FieldChange {
  return JSON.parse(JSON.stringify(field).replace(/\[secret [0-9a-f]{12}\]/g, secret)) as FieldChange;
}
