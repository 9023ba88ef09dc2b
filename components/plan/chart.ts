export type ChartSource =
  | { readonly source: "upstream" }
  | { readonly source: "folder"; readonly path: string }
  | { readonly source: "oci"; readonly registry: string };

/** A chart at one version, and the repository it is published in. */
export interface ChartPin {
  readonly chart: string;
  readonly version: string;
  readonly repository: string;
}

/**
 * How Helm is told of a chart. A folder holds archives as `helm pull` names them, and is relative to that of
 * Pulumi.yaml.
 */
export function chartReference(pin: ChartPin, source: ChartSource) {
  switch (source.source) {
    case "upstream":
      return { chart: pin.chart, version: pin.version, repositoryOpts: { repo: pin.repository } };
    case "folder":
      return { chart: `${source.path.replace(/\/+$/, "")}/${pin.chart}-${pin.version}.tgz` };
    case "oci":
      return { chart: `${source.registry}/${pin.chart}`, version: pin.version };
  }
}
