import { listIf, type Warning } from "../../errors/problem.ts";
import type { Model } from "../model.ts";

/** A real stack that tells nobody, or that nobody misses when it is dark. */
export function alertWarnings({ alerts, stack }: Pick<Model, "alerts" | "stack">): Warning[] {
  if (stack.distribution === "embedded") {
    return [];
  }
  return [
    ...listIf(alerts === undefined, {
      key: "kraft:alerts",
      message:
        "nobody is told when a node dies, a backup is late or a site does not answer, and nothing is watched: name a target, see docs/monitoring.md",
    }),
    ...listIf(alerts !== undefined && alerts.heartbeat === undefined, {
      key: "kraft:alerts.heartbeat",
      message: "a dark house sends nothing: name a check at a service outside of it, for example healthchecks.io",
    }),
  ];
}
