// What may be written by the job that brings what a tenant uses into the tenant's guest.
import { base64Pattern } from "../base64-pattern.ts";
import { reporter } from "../monitoring/parts.ts";
import { useFile, useFrame } from "../monitoring/tenant-use.ts";
import { quoted, valueOr } from "./expressions.ts";
import { type AdmissionPolicy, requestsFor } from "./policy.ts";

/**
 * Longest file, in letters of base64. Twenty sites and twenty volumes take a quarter; of twice as many the pattern would cost more
 * than the API server lets one expression cost.
 */
export const longestUse = 16 * 1024;

/**
 * K3s applies whatever is in a guest's addons as the guest's administrator, and RBAC knows no keys of a Secret: so whoever can
 * write to one could make anything of a guest. This leaves the reporter one key, with one ConfigMap in it.
 */
export const reportPolicy: AdmissionPolicy = {
  name: "kraft-tenant-reports",
  scope: "tenants",
  requests: [requestsFor("v1", ["secrets"])],
  conditions: [
    {
      name: "by-the-reporter",
      expression: `request.userInfo.username == ${quoted(`system:serviceaccount:${reporter.namespace}:${reporter.account}`)}`,
    },
  ],
  variables: [
    { name: "data", expression: valueOr("object.data", "{}") },
    { name: "previous", expression: `oldObject != null && has(oldObject.data) ? oldObject.data : {}` },
  ],
  rules: [
    {
      expression: `oldObject != null && variables.previous.all(k, k in variables.data) && variables.data.all(k, k == ${quoted(useFile)} || (k in variables.previous && variables.data[k] == variables.previous[k]))`,
      message: `only ${useFile} may be written: the other addons of the guest are the operator's`,
    },
    {
      expression: ["labels", "annotations", "ownerReferences", "finalizers"]
        .map((field) => same(`metadata.${field}`))
        .concat(same("immutable"), same("type"))
        .join(" && "),
      message: `only ${useFile} may be written, and nothing else of the guest's addons`,
    },
    {
      expression: `!(${quoted(useFile)} in variables.data) || (size(variables.data[${quoted(useFile)}]) <= ${longestUse} && variables.data[${quoted(useFile)}].matches(${quoted(base64Pattern(useFrame.before, useFrame.after))}))`,
      message: `${useFile} has to be one ConfigMap with one text in printable ASCII, without quotation marks and of at most ${longestUse} letters in base64`,
    },
  ],
};

/** True, in CEL, if an update leaves a field as it is. */
function same(field: string): string {
  return `(has(object.${field}) ? has(oldObject.${field}) && object.${field} == oldObject.${field} : !has(oldObject.${field}))`;
}
