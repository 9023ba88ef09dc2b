import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { LiveState } from "../../cluster/live-state.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { listIf, type Problem, show } from "../../errors/problem.ts";

/**
 * The CustomResourceDefinitions and namespaces that the program declares, as `<kind>/<name>`, once its charts are rendered.
 *
 * @param charts Charts whose CustomResourceDefinitions hold data.
 * @param namespaces Namespaces that hold data.
 */
export async function declaredObjects(
  charts: readonly kubernetes.helm.v4.Chart[],
  namespaces: readonly kubernetes.core.v1.Namespace[],
): Promise<ReadonlySet<string>> {
  const children = await Promise.all(
    charts.map(({ resources }) => valueOf(resources as pulumi.Output<pulumi.Resource[]>)),
  );
  // Under Pulumi's mocks nothing renders a chart.
  const urns = await Promise.all(children.flatMap((resources) => (resources ?? []).map(({ urn }) => valueOf(urn))));
  const names = await Promise.all(namespaces.map(({ metadata }) => valueOf(metadata.name)));
  return new Set([
    ...urns
      .flatMap((urn) => /:CustomResourceDefinition::[^:]*:(.*)$/.exec(urn ?? "")?.[1] ?? [])
      .map((name) => `CustomResourceDefinition/${name}`),
    ...names.map((name) => `Namespace/${name}`),
  ]);
}

/** Resolves when the value is known; undefined under Pulumi's mocks for what they leave out. */
function valueOf<Value>(output: pulumi.Output<Value>): Promise<Value | undefined> {
  return new Promise((resolve) => output.apply(resolve));
}

/**
 * What holds data in the cluster and is no longer declared, after a change of the program, of a version or of a chart. Pulumi
 * refuses to delete it; this says what would be lost, before it does.
 */
export function undeclaredProblems(live: LiveState, declared: ReadonlySet<string>): Problem[] {
  const ofLonghorn = (name: string): boolean => name.endsWith(".longhorn.io");
  const gone = live.dataDefinitions.filter((name) => !declared.has(`CustomResourceDefinition/${name}`));
  const namespace = platformNamespaces.longhorn;
  return [
    ...listIf(gone.length > 0, {
      key: "CustomResourceDefinition",
      found: `no longer declared, with all objects of these kinds: ${gone.join(", ")}`,
      allowed: "every kind that volumes and guests are made of, as long as the cluster has it",
      fix: `put the version or the chart back${gone.some(ofLonghorn) ? ": deleting Longhorn's kinds deletes the volumes, and with its Backup objects the backups in the bucket" : ""}`,
    }),
    ...listIf(live.dataDefinitions.some(ofLonghorn) && !declared.has(`Namespace/${namespace}`), {
      key: "Namespace",
      found: `${show(namespace)} no longer declared: deleting it deletes every tenant's volumes, and with its Backup objects the backups in the bucket`,
      allowed: `${show(namespace)}, as long as Longhorn is in the cluster`,
      fix: "put it back into the program",
    }),
  ];
}
