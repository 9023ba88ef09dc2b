import { domainsAnnotation } from "../names.ts";
import { quoted, type Variable } from "./policy.ts";

const annotation = quoted(domainsAnnotation);

/** The domains in the annotation of the tenant's namespace, in CEL; none where it has none. */
export const domainsOfNamespace =
  `has(namespaceObject.metadata.annotations) && ${annotation} in namespaceObject.metadata.annotations ? ` +
  `namespaceObject.metadata.annotations[${annotation}].split(',') : []`;

/**
 * A variable that lists the host names outside of `variables.domains`.
 *
 * @param name Name of the variable.
 * @param names The host names, a list in CEL.
 */
export function outsideDomains(name: string, names: string): Variable {
  return { name, expression: `${names}.filter(h, !variables.domains.exists(d, h == d || h.endsWith('.' + d)))` };
}
