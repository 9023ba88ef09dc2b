import { domainsAnnotation } from "../names.ts";
import { quoted, type Variable } from "./policy.ts";

const annotation = quoted(domainsAnnotation);

/** The domains that the tenant's namespace names, in CEL; none where it names none. */
export const domainsOfNamespace =
  `has(namespaceObject.metadata.annotations) && ${annotation} in namespaceObject.metadata.annotations ? ` +
  `namespaceObject.metadata.annotations[${annotation}].split(',') : []`;

/**
 * The variable with what of `names`, a list in CEL, is neither one of `variables.domains` nor within one.
 *
 * @param name Of the variable.
 */
export function outsideDomains(name: string, names: string): Variable {
  return { name, expression: `${names}.filter(h, !variables.domains.exists(d, h == d || h.endsWith('.' + d)))` };
}
