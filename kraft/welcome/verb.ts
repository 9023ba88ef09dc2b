import type { Verb } from "../cli/verb.ts";

/** `kraft welcome <tenant>`: the sheet that a tenant gets. */
export const welcome: Verb = {
  name: "welcome",
  summary: "print the sheet that a tenant gets, in Markdown",
  operands: [["<tenant>", "tenant of the stack file"]],
  details: [
    "Endpoint, entrypoint, domains, allowance, an Ingress to copy, what is backed up and what is not. Nothing in it is secret, and no cluster is asked.",
  ],
  examples: ["welcome acme > acme.md", "welcome acme -s homelab --json"],
  load: () => import("./run.ts"),
};
