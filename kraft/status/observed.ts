import { paths } from "../../cluster/paths.ts";
import type { Listed } from "../cli/host.ts";

/** Every collection that the status is made of. */
export const observedCollections = {
  nodes: paths.nodes.all,
  namespaces: paths.namespaces.all,
  deployments: paths.deployments.all,
  daemonSets: paths.daemonSets.all,
  clusters: paths.clusters.all,
  quotas: paths.quotas.all,
  recurringJobs: paths.recurringJobs.all,
  backupTargets: paths.backupTargets.all,
  volumes: paths.volumes.all,
  claims: paths.claims.all,
  certificates: paths.certificates.all,
  issuers: paths.issuers.all,
};

/** Everything that the status is made of, as the cluster told it. */
export type Observed = Listed<typeof observedCollections>;
