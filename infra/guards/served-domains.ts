import { type LiveIngress, type LiveState, liveTenant } from "../../cluster/live-state.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { type Problem, show, type Warning } from "../../errors/problem.ts";
import { ancestors } from "../config/rules/domains.ts";
import type { Model } from "../model.ts";

/** A name that an Ingress serves although it is under none of its tenant's domains. */
export interface Leftover {
  readonly ingress: string;
  readonly host: string;
}

/**
 * Names that Ingresses of a tenant serve after their domain was taken from the tenant. The API server asks whose a name is
 * only when an Ingress is written: one that is there goes on answering, with its certificate.
 */
export function leftovers(ingresses: readonly LiveIngress[], domains: readonly string[]): Leftover[] {
  return ingresses.flatMap(({ name: ingress, hosts }) =>
    hosts.filter((host) => !ancestors(host).some((name) => domains.includes(name))).map((host) => ({ ingress, host })),
  );
}

/**
 * What ends it: the command deletes the host's copy of the Ingress, which takes the certificate along. K3k's attempts to copy
 * it anew are refused. The tenant's own Ingress stays in the guest, and once its copy is gone K3k takes no finalizer from it any
 * more (`Reconcile` in its k3k-kubelet/controller/syncer/ingress.go, 1.1.0 to 1.2.0-rc4): the welcome sheet says how to delete it.
 */
export function removalCommand(tenant: string, { ingress }: Leftover): string {
  return `kubectl delete ingress ${ingress} --namespace ${tenantNames(tenant).namespace}`;
}

/** Refuses a domain that another tenant's Ingress still serves: requests for it would go to either of them. */
export function servedDomainProblems({ tenants }: Pick<Model, "tenants">, live: LiveState): Problem[] {
  return live.tenants.flatMap(({ name: holder, ingresses }) => {
    const domains = tenants.find(({ name }) => name === holder)?.domains ?? [];
    return leftovers(ingresses, domains).flatMap((leftover) =>
      tenants.flatMap(({ name, domains }) =>
        domains.flatMap((domain, index) =>
          ancestors(leftover.host).includes(domain)
            ? {
                key: `kraft:tenants.${name}.domains[${index}]`,
                found: `${show(domain)}, while an Ingress of ${holder} serves ${leftover.host}`,
                allowed: "a domain that no other tenant's Ingress serves",
                fix: `leave it out of both, pulumi up, ${removalCommand(holder, leftover)}, then add it here`,
              }
            : [],
        ),
      ),
    );
  });
}

/** What goes on answering although its domain was taken from the tenant. */
export function servedDomainWarnings({ tenants }: Pick<Model, "tenants">, live: LiveState): Warning[] {
  return tenants.flatMap(({ name, domains }) =>
    leftovers(liveTenant(live, name)?.ingresses ?? [], domains).map((leftover) => ({
      key: `kraft:tenants.${name}.domains`,
      message: `${leftover.host} is under none of them, and an Ingress still serves it. To end that, after this run: ${removalCommand(name, leftover)}`,
    })),
  );
}
