import type { Verb } from "../cli/verb.ts";

/** `kraft check`: what every preview checks, without cluster, passphrase or engine; DNS only on request. */
export const check: Verb = {
  name: "check",
  summary: "check stack files without a cluster or passphrase",
  defaultStack: "every stack that has a file",
  options: [
    ["--dns", "ask DNS for the entrypoint, tenants' APIs and tenants' domains"],
    ["--resolver <address>", "name server to ask, with :<port> if it is not 53; default: this machine's"],
  ],
  details: [
    "Prints the checks' tables, warnings and problems. Encrypted values count as present; only a preview can tell whether they are right.",
    "With --dns, names that do not lead to the entrypoint are warnings and do not change the exit code.",
  ],
  examples: ["check", "check -s homelab", "check -s homelab --dns"],
  old: { stackOperand: true },
  load: () => import("./run.ts"),
};
