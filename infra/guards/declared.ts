import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { LiveState } from "../../cluster/live-state.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { type Problem, show } from "../../errors/problem.ts";

/** Objects of the cluster that the program declares, as `<kind>/<name>`: as far as data hangs on them. */
export type DeclaredObjects = ReadonlySet<string>;

/**
 * What the program declares, once its charts are rendered.
 *
 * @param charts Charts whose CustomResourceDefinitions hold data.
 * @param namespaces Namespaces that hold data.
 */
export async function declaredObjects(
  charts: readonly kubernetes.helm.v4.Chart[],
  namespaces: readonly kubernetes.core.v1.Namespace[],
): Promise<DeclaredObjects> {
  const children = await Promise.all(
    charts.map(({ resources }) => valueOf(resources as pulumi.Output<pulumi.Resource[]>)),
  );
  // Under Pulumi's mocks nothing renders a chart.
  const urns = await Promise.all(children.flatMap((resources) => (resources ?? []).map(({ urn }) => valueOf(urn))));
  const names = await Promise.all(namespaces.map(({ metadata }) => valueOf(metadata.name)));
  return new Set([
    ...urns.flatMap(
      (urn) =>
        /:(CustomResourceDefinition)::[^:]*:(.*)$/
          .exec(urn ?? "")
          ?.slice(1)
          .join("/") ?? [],
    ),
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
export function undeclaredProblems(live: LiveState, declared: DeclaredObjects): Problem[] {
  const gone = live.dataDefinitions.filter((name) => !declared.has(`CustomResourceDefinition/${name}`));
  const namespace = platformNamespaces.longhorn;
  const problems: Problem[] = [];
  if (gone.length > 0) {
    const backups = gone.some((name) => name.endsWith(".longhorn.io"));
    problems.push({
      key: "CustomResourceDefinition",
      found: `no longer declared, with all objects of these kinds: ${gone.join(", ")}`,
      allowed: "every kind that volumes and guests are made of, as long as the cluster has it",
      fix: `put the version or the chart back${backups ? ": with Longhorn's kinds go the volumes, and with its Backup objects the backups in the bucket" : ""}`,
    });
  }
  if (live.dataDefinitions.some((name) => name.endsWith(".longhorn.io")) && !declared.has(`Namespace/${namespace}`)) {
    problems.push({
      key: "Namespace",
      found: `${show(namespace)} no longer declared: with it would go every tenant's volumes, and with its Backup objects the backups in the bucket`,
      allowed: `${show(namespace)}, as long as Longhorn is in the cluster`,
      fix: "put it back into the program",
    });
  }
  return problems;
}
