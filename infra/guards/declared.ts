import * as pulumi from "@pulumi/pulumi";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { show, type Problem } from "../../errors/problem.ts";
import type { LiveState } from "../../cluster/live-state.ts";

/** Objects of the cluster that the program declares, as `<kind>/<name>`: as far as data hangs on them. */
export type DeclaredObjects = ReadonlySet<string>;

const kinds = new Set(["CustomResourceDefinition", "Namespace"]);

/** Begins to write down what is declared from now on, in charts too. */
export function recordDeclared(): DeclaredObjects {
  const declared = new Set<string>();
  pulumi.runtime.registerResourceTransform(({ type, props }) => {
    const kind = type.slice(type.lastIndexOf(":") + 1);
    if (kinds.has(kind)) {
      const { metadata } = props as { readonly metadata?: { readonly name?: unknown } };
      declared.add(`${kind}/${String(metadata?.name)}`);
    }
    // Whatever a transform hands back is no longer secret (@pulumi/pulumi 3.215).
    return undefined;
  });
  return declared;
}

/**
 * What stands, holds data, and is no longer declared, by a change of the program, of a version or of a chart. Pulumi
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
