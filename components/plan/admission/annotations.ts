import { list, valueOr } from "./policy.ts";

/** Which annotations are allowed, of those that a controller acts on. */
export interface AllowedAnnotations {
  /** Domains whose annotations are refused, except for those below. All other domains are the tenant's own. */
  readonly closed: readonly string[];
  /** Allowed names, matched case-sensitively although Traefik ignores case. */
  readonly exact: readonly string[];
  /** Allowed beginnings of names. */
  readonly prefixes: readonly string[];
}

/**
 * The annotations of an object that are refused, in CEL. A new annotation of a controller is refused until somebody has
 * reviewed and listed it.
 */
export function foreignAnnotations({ closed, exact, prefixes }: AllowedAnnotations): string {
  return (
    `(${valueOr("object.metadata.annotations", "{}")}).filter(k, ${list(closed)}.exists(d, k.lowerAscii().startsWith(d + '/') || k.lowerAscii().contains('.' + d + '/')) && ` +
    `!(k in ${list(exact)}) && !${list(prefixes)}.exists(p, k.startsWith(p)))`
  );
}
