import { list } from "./policy.ts";

/** Which annotations are let through, of those that some controller acts upon. */
export interface AllowedAnnotations {
  /** Domains of annotations that are closed but for what follows; those of all others are the tenant's own. */
  readonly closed: readonly string[];
  /** To the letter: Traefik takes names in any case. */
  readonly exact: readonly string[];
  /** Whatever begins so. */
  readonly prefixes: readonly string[];
}

/**
 * The annotations of an object that are not let through, in CEL. What a new version of a controller understands is
 * refused until somebody has looked at it and listed it.
 */
export function foreignAnnotations({ closed, exact, prefixes }: AllowedAnnotations): string {
  return (
    "(has(object.metadata.annotations) ? object.metadata.annotations : {})" +
    `.filter(k, ${list(closed)}.exists(d, k.lowerAscii().startsWith(d + '/') || k.lowerAscii().contains('.' + d + '/')) && ` +
    `!(k in ${list(exact)}) && !${list(prefixes)}.exists(p, k.startsWith(p)))`
  );
}
