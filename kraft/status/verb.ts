import type { Verb } from "../cli/verb.ts";

/** `kraft status`: what the host cluster says about itself. */
export const status: Verb = {
  name: "status",
  summary: "show nodes, tenants, backups and certificates of a cluster",
  options: [["--prometheus", "print figures in Prometheus' text format, for node_exporter's textfile collector"]],
  details: ["Only reads a running cluster. Exits with 1 if anything is wrong; the problems are listed at the end."],
  examples: ["status", "status -s homelab --json", "status -s homelab --prometheus"],
  old: { stackOperand: true },
  load: () => import("./run.ts"),
};
