import { byteQuantity, cpuQuantity } from "../../components/plan/quantity.ts";
import { k3kOverhead, tenantTotal, type QuotaOverride, type Size } from "../../components/plan/size.ts";
import { show, type Problem } from "../problem.ts";

/** What the check needs to know of a tenant. */
export interface QuotaOwner {
  readonly name: string;
  readonly size: Size;
  readonly quota: QuotaOverride;
}

/** A quota must hold at least K3k's own pods and the guest's datastore, or the guest would never start. */
export function quotaProblems(owners: readonly QuotaOwner[], nodes: number): Problem[] {
  const needed = k3kOverhead(nodes);
  const on = nodes === 1 ? "1 node" : `${nodes} nodes`;
  return owners.flatMap(({ name, size, quota }) => {
    const total = tenantTotal(size, nodes, quota);
    const rows = [
      { key: "cpu", fits: total.millicpu >= needed.millicpu, least: cpuQuantity(needed.millicpu) },
      {
        key: "memory",
        fits: total.memoryMebibytes >= needed.memoryMebibytes,
        least: byteQuantity(needed.memoryMebibytes),
      },
      {
        key: "storage",
        fits: total.storageMebibytes >= needed.storageMebibytes,
        least: byteQuantity(needed.storageMebibytes),
      },
      { key: "pods", fits: total.pods >= needed.pods, least: String(needed.pods) },
    ] as const;
    return rows
      .filter(({ fits }) => !fits)
      .map(({ key, least }) => ({
        key: `kraft:tenants.${name}.quota.${key}`,
        found: show(quota[key]),
        allowed: `at least ${least}, which K3k itself needs in this namespace on ${on}`,
        fix: "write that and what the tenant's own pods need on top, or remove the key for the size's own limit",
      }));
  });
}
