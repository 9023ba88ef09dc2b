import { parse, stringify } from "yaml";

type Fields = Readonly<Record<string, unknown>>;

/**
 * An administrator's kubeconfig under the names that a stack file uses: its makers call everything `default` or
 * `admin@…`, which would overwrite other clusters' where files are merged.
 *
 * @param source As k3s or Talos wrote it. It is a credential.
 * @param name Of cluster, user and context.
 * @param server Where the API server is reached; what the source says where it is not given.
 * @throws Error if there is not exactly one cluster and one user in it. The message holds nothing of the source.
 */
export function administratorKubeconfig(source: string, name: string, server?: string): string {
  const config = (parse(source) ?? {}) as Fields;
  const cluster = only(config, "clusters", "cluster");
  const user = only(config, "users", "user");
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { ...cluster, ...(server === undefined ? {} : { server }) } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
    },
    // Certificates stay on one line.
    { lineWidth: 0 },
  );
}

function only(config: Fields, list: string, field: string): Fields {
  const entries = config[list];
  const [entry] = Array.isArray(entries) && entries.length === 1 ? (entries as (Fields | null)[]) : [];
  const value = entry?.[field];
  if (typeof value !== "object" || value === null) {
    throw new Error(`a kubeconfig was expected, and there is not exactly one entry under ${list}`);
  }
  return value as Fields;
}
