import type { Warning } from "../errors/problem.ts";
import type { Stack } from "../stacks/index.ts";
import { dateMessage } from "./checks/expiry.ts";

/** How the host's kubeconfig is made, and renewed: while it still opens the cluster, and once it no longer does. */
export interface Renewal {
  readonly missing: string;
  readonly before: string;
  readonly after: string;
}

/** @param managed Whether Kraft runs the machines: the stack file has `kraft:machines`. */
export function renewalOf({ name, distribution }: Pick<Stack, "name" | "distribution">, managed: boolean): Renewal {
  const same = (text: string): Renewal => ({
    missing: "put the cluster's kubeconfig there, see docs/first-steps.md",
    before: text,
    after: text,
  });
  switch (distribution) {
    case "embedded":
      return {
        ...same("start the embedded cluster anew: npm run local"),
        missing: "start the embedded cluster: npm run local",
      };
    case "k3s":
      return managed
        ? same(
            `npx kraft host-kubeconfig -s ${name} --force; where that one ends no later, restart k3s on the nodes first, see docs/machines-homelab.md`,
          )
        : same(
            "fetch /etc/rancher/k3s/k3s.yaml from a node again; where that one ends no later, restart k3s there first",
          );
    case "talos":
      return managed
        ? {
            ...same("change kraft:machines.again, then pulumi up"),
            // No run gets as far as the machine while the cluster cannot be asked.
            after: "have talosctl write it by hand, see docs/machines-proliant.md, When the kubeconfig expires",
          }
        : same("have talosctl write it again: talosctl kubeconfig --force");
  }
}

/**
 * Warns of a kubeconfig that ends soon.
 *
 * @param end When its client certificate ends; undefined where it has none.
 */
export function kubeconfigWarnings(end: Date | undefined, renewal: Pick<Renewal, "before">, now: Date): Warning[] {
  const message = end === undefined ? undefined : dateMessage(end.toISOString().slice(0, 10), now);
  return message === undefined
    ? []
    : [{ key: "kraft:cluster.kubeconfig", message: `its client certificate ${message}: ${renewal.before}` }];
}
