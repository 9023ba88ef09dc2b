import type { Host } from "../../cluster/client.ts";
import { type Path, paths } from "../../cluster/paths.ts";

/** Every collection that the status is made of. */
const collections = {
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

type Collections = typeof collections;

/** Everything that the status is made of, as the cluster told it. */
export type Observed = {
  readonly [Name in keyof Collections]: Collections[Name] extends Path<infer Kind> ? readonly Kind[] : never;
};

/** Reads it all at once. A kind that the cluster does not have yet has no objects. */
export async function observe(host: Host): Promise<Observed> {
  const lists = await Promise.all(
    Object.entries(collections).map(async ([name, path]) => [name, await host.list<unknown>(path)] as const),
  );
  return Object.fromEntries(lists) as unknown as Observed;
}
