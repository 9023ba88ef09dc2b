import { listIf, type Warning } from "../errors/problem.ts";
import type { Stack } from "../stacks/index.ts";
import { dateMessage } from "./checks/expiry.ts";

/** How to get the host's kubeconfig: where there is none, while it still opens the cluster, and once it no longer does. */
export interface Renewal {
  readonly missing: string;
  readonly before: string;
  readonly after: string;
}

/** @param managed Whether Kraft runs the machines: the stack file has `kraft:machines`. */
export function renewalOf({ name, distribution }: Pick<Stack, "name" | "distribution">, managed: boolean): Renewal {
  if (distribution === "embedded") {
    const anew = "start the embedded cluster anew: npm run local";
    return { missing: "start the embedded cluster: npm run local", before: anew, after: anew };
  }
  const missing = "put the cluster's kubeconfig there, see docs/first-steps.md";
  if (distribution === "talos" && managed) {
    return {
      missing,
      before: "change kraft:machines.again, then pulumi up",
      // No run gets as far as the machine while the cluster cannot be asked.
      after: "have talosctl write it by hand, see docs/machines-proliant.md, When the kubeconfig expires",
    };
  }
  const fetch =
    distribution === "talos"
      ? "have talosctl write it again: talosctl kubeconfig --force"
      : managed
        ? `npx kraft host-kubeconfig -s ${name} --force; where that one ends no later, restart k3s on the nodes first, see docs/machines-homelab.md`
        : "fetch /etc/rancher/k3s/k3s.yaml from a node again; where that one ends no later, restart k3s there first";
  return { missing, before: fetch, after: fetch };
}

/** Warns of a kubeconfig whose client certificate, if it has one, ends soon. */
export function kubeconfigWarnings(end: Date | undefined, renewal: Pick<Renewal, "before">, now: Date): Warning[] {
  const message = end && dateMessage(end.toISOString().slice(0, 10), now);
  return listIf(message !== undefined, {
    key: "kraft:cluster.kubeconfig",
    message: `its client certificate ${message}: ${renewal.before}`,
  });
}
