/** Where the images of the platform come from. */
export type ImageSource =
  /** Made here, of programs that are built of pinned modules. */
  | { readonly kind: "built" }
  /** Those that their projects publish, but for stand-ins and the sample, which nobody does. */
  | {
      readonly kind: "upstream";
      /** The one registry that has them all, by the paths of their names. Default: that of each name. */
      readonly registry?: string;
    };

/** The values of `--images`. */
export const imageKinds = ["built", "upstream"] as const satisfies readonly ImageSource["kind"][];

/** Where the images of a run come from, and the line that says so where the user did not. */
export interface ImageChoice {
  readonly source: ImageSource;
  readonly reason?: string;
}

/** A source as the command line has it. */
export function imageOptions(source: ImageSource): string {
  const registry = source.kind === "upstream" && source.registry !== undefined ? ` --registry ${source.registry}` : "";
  return `--images ${source.kind}${registry}`;
}

/**
 * Where the images of a run come from: a cluster keeps those that it has until others are asked for.
 *
 * @param asked What the user asked for; undefined for nothing.
 * @param earlier What an earlier run gave the cluster; undefined where there is none yet.
 */
export function chooseImages(asked: ImageSource | undefined, earlier: ImageSource | undefined): ImageChoice {
  const source = asked ?? earlier ?? { kind: "built" };
  if (asked !== undefined || source.kind === "built") {
    return { source };
  }
  return {
    source,
    reason: `Images are the published ones, as this cluster has them (${imageOptions(source)}). For those built here: npm run local -- --images built`,
  };
}
