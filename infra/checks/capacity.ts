import { type LonghornFigures, longhornFigures } from "../../components/plan/longhorn-values.ts";
import { podsPerNode } from "../../components/plan/machines/k3s.ts";
import { tenantAllowance } from "../../components/plan/size.ts";
import { listIf, type Problem, type Warning } from "../../errors/problem.ts";
import type { NodeHardware } from "../../stacks/index.ts";
import type { Model, Tenant } from "../model.ts";
import type { Table } from "../table.ts";
import { allocatable, type Need, platformNeed, rounded, shares, sum, total } from "./figures.ts";

export type CapacityLoad = Pick<
  Model,
  "stack" | "tenants" | "replicas" | "overcommit" | "entry" | "alerts" | "dashboards"
>;

/** Share in use from which the operator is warned. */
export const warnFrom = 0.8;

/** Number of nodes from which a cluster must be able to lose any one of them. */
const redundantFrom = 3;

/** Supply of one resource, and the demand for it. */
export interface Balance {
  readonly available: number;
  readonly platform: number;
  readonly k3k: number;
  /** Promised to all tenants together. */
  readonly promised: number;
  /** How many times it may be promised. */
  readonly overcommit: number;
}

/** The balance of one resource, with all nodes and with one lost. */
export interface Row {
  readonly resource: Resource;
  readonly all: Balance;
  /** Undefined where the loss of a node is the loss of the cluster. */
  readonly oneLost: Balance | undefined;
}

type Resource = "CPU" | "memory" | "pods" | "volumes";

/** How each resource is named, and how to promise less of it. A volume counts once per copy. */
const resources: Readonly<Record<Resource, { readonly unit: string; readonly what: string; readonly less: string }>> = {
  CPU: { unit: "", what: "CPU", less: "smaller sizes or quota.cpu, a larger kraft:capacity.overcommit" },
  memory: { unit: " GiB", what: "GiB of memory", less: "smaller sizes or quota.memory" },
  pods: { unit: "", what: "pods", less: "smaller quota.pods, a larger kraft:capacity.overcommit" },
  volumes: {
    unit: " GiB",
    what: "GiB of volumes, all copies together",
    less: "smaller quota.storage, fewer kraft:storage.replicas",
  },
};

function needed({ platform, k3k, promised, overcommit }: Balance): number {
  return platform + k3k + promised / overcommit;
}

/** Demand as a share of supply: 1 is all of it. */
export function use(balance: Balance): number {
  const all = needed(balance);
  return all === 0 ? 0 : all / balance.available;
}

/** The balance that must not be negative: with a node lost, where the cluster can lose one. */
export function decisive({ all, oneLost }: Row): Balance {
  return oneLost ?? all;
}

/**
 * Gibibytes that Longhorn places on a node whatever is written to the volumes: the smaller of what its two rules for
 * scheduling a replica allow (longhorn.io/docs, "Storage Overprovisioning" and "Storage Minimal Available Percentage"),
 * both with every volume full.
 *
 *     size + scheduled <= (maximum - reserved) * over-provisioning percentage / 100
 *     available - size >  maximum * minimal available percentage / 100
 */
export function schedulable(maximum: number, figures: LonghornFigures): number {
  const promised = (maximum * (100 - figures.reserved) * figures.overProvisioning) / 10_000;
  const kept = (maximum * (100 - figures.minimalAvailable)) / 100;
  return Math.min(promised, kept);
}

/**
 * Gibibytes of replicas that fit on nodes, where the copies of a volume lie on different ones: however large the largest
 * nodes are, each holds one copy at most, and the smaller ones must hold the others.
 */
export function placeable(nodes: readonly number[], copies: number): number {
  const ascending = nodes.toSorted((a, b) => a - b);
  const perCopy = Array.from({ length: copies }, (_, full) => {
    const others = ascending.slice(0, ascending.length - full);
    return total(others, (size) => size) / (copies - full);
  });
  return copies * Math.min(...perCopy);
}

/** The balance of every resource if only these nodes run. */
function balances(load: CapacityLoad, nodes: readonly NodeHardware[]): Record<Resource, Balance> {
  const stack = { ...load.stack, nodes };
  const figures = longhornFigures(load.stack.nodes.length, load.stack.storage.dedicatedDisk);
  // A volume without a node for each copy stays degraded until one comes back.
  const copies = Math.min(load.replicas, nodes.length);
  const tenants = shares(load.tenants, nodes.length);
  const has = sum(nodes.map((node) => allocatable(node, stack.distribution)));
  const platform = platformNeed(stack, figures, load);
  const k3k = sum(tenants.map(({ overhead }) => overhead));
  const promised = sum(tenants.map(({ allowance }) => allowance));
  const balance = (amount: (need: Need) => number, overcommit: number): Balance => ({
    available: amount(has),
    platform: amount(platform),
    k3k: amount(k3k),
    promised: amount(promised),
    overcommit,
  });
  return {
    CPU: balance(({ millicpu }) => millicpu / 1000, load.overcommit),
    memory: balance(({ memoryMebibytes }) => memoryMebibytes / 1024, 1),
    pods: balance(({ pods }) => pods, load.overcommit),
    volumes: {
      available: placeable(
        nodes.map(({ longhornGiB }) => schedulable(longhornGiB, figures)),
        copies,
      ),
      platform: 0,
      k3k: (total(tenants, ({ overhead }) => overhead.storageMebibytes) / 1024) * copies,
      promised: (total(tenants, ({ allowance }) => allowance.storageMebibytes) / 1024) * copies,
      overcommit: 1,
    },
  };
}

/** All balances. For each resource, the lost node is the one whose loss hurts most. */
export function capacity(load: CapacityLoad): Row[] {
  const { nodes } = load.stack;
  const all = balances(load, nodes);
  const losses =
    nodes.length < redundantFrom
      ? []
      : nodes.map((lost) =>
          balances(
            load,
            nodes.filter((node) => node !== lost),
          ),
        );
  return (Object.keys(resources) as Resource[]).map((resource) => ({
    resource,
    all: all[resource],
    oneLost: losses.map((loss) => loss[resource]).toSorted((a, b) => use(b) - use(a))[0],
  }));
}

export function capacityTable(load: CapacityLoad): Table {
  const rows = capacity(load);
  const redundant = rows.some(({ oneLost }) => oneLost !== undefined);
  return {
    title: redundant
      ? "Capacity: what has to fit with one node lost"
      : "Capacity: what has to fit, with no node to spare",
    rows: [
      ["", "all nodes", "one lost", "platform", "K3k", "tenants", "free", "used"],
      ...rows.map((row) => {
        const { unit } = resources[row.resource];
        const balance = decisive(row);
        const { platform, k3k, promised, overcommit } = balance;
        return [
          row.resource === "volumes" ? `volumes, ${copiesOf(load.replicas)}` : row.resource,
          `${figure(row.all.available)}${unit}`,
          row.oneLost === undefined ? "-" : `${figure(row.oneLost.available)}${unit}`,
          `${figure(platform)}${unit}`,
          `${figure(k3k)}${unit}`,
          overcommit === 1
            ? `${figure(promised)}${unit}`
            : `${figure(promised / overcommit)} (${figure(promised)}/${figure(overcommit)})`,
          `${figure(balance.available - needed(balance))}${unit}`,
          percent(use(balance)),
        ];
      }),
    ],
  };
}

/** A number of the table: with a decimal only where it has fewer than four digits. */
function figure(value: number): string {
  return rounded(value, Math.abs(value) < 1000 ? 1 : 0);
}

/** Demand that exceeds supply. */
export function capacityProblems(load: CapacityLoad): Problem[] {
  const rows = capacity(load);
  return [
    ...load.tenants.flatMap((tenant) => tooLargeAlone(tenant, load)),
    ...rows.filter((row) => use(decisive(row)) > 1).map((row) => overload(row, load)),
  ];
}

function overload(row: Row, { stack }: CapacityLoad): Problem {
  const { what, less } = resources[row.resource];
  const balance = decisive(row);
  const { platform, k3k, promised, overcommit } = balance;
  const tenants =
    overcommit === 1
      ? rounded(promised, 2)
      : `${rounded(promised / overcommit, 2)}, which is ${rounded(promised, 2)} divided by kraft:capacity.overcommit`;
  return {
    key: "kraft:tenants",
    found: `${rounded(needed(balance), 2)} ${what}: platform ${rounded(platform, 2)}, K3k ${rounded(k3k, 2)}, tenants ${tenants}`,
    allowed: `at most ${rounded(balance.available, 2)}: ${row.oneLost === undefined ? `all that ${stack.description} has` : `what is left of ${stack.description} when one node is lost`}`,
    fix: `${less}, fewer tenants, or another node in kraft:nodes`,
  };
}

/** A tenant who could never use the CPU that they were promised, even if no other tenant used any. */
function tooLargeAlone(tenant: Tenant, load: CapacityLoad): Problem[] {
  const { CPU } = balances(load, load.stack.nodes);
  const left = CPU.available - CPU.platform - CPU.k3k;
  const own = tenantAllowance(tenant.size, tenant.quota).millicpu / 1000;
  return listIf(own > left, {
    key: `kraft:tenants.${tenant.name}`,
    found: `${rounded(own)} CPU for this tenant alone`,
    allowed: `at most ${rounded(Math.max(0, left), 2)} CPU: ${rounded(CPU.available)} less ${rounded(CPU.platform, 2)} of the platform and ${rounded(CPU.k3k, 2)} of K3k`,
    fix:
      left < 1
        ? "fewer tenants, or another node in kraft:nodes"
        : `a smaller size, or quota: { cpu: ${Math.floor(left)} }`,
  });
}

/** Supply that is nearly used up, or that no tenant could use as promised. */
export function capacityWarnings(load: CapacityLoad): Warning[] {
  const rows = capacity(load);
  const pods = balances(load, load.stack.nodes).pods;
  const podsLeft = pods.available - pods.platform - pods.k3k;
  return [
    ...rows
      .filter((row) => use(decisive(row)) >= warnFrom && use(decisive(row)) <= 1)
      .map((row) => {
        const balance = decisive(row);
        const { unit } = resources[row.resource];
        return {
          key: `capacity, ${row.resource}`,
          message:
            `${percent(use(balance))} used${row.oneLost === undefined ? "" : " with one node lost"}: ` +
            `${rounded(needed(balance))}${unit} of ${rounded(balance.available)}${unit}`,
        };
      }),
    ...load.tenants
      .map(({ name, size, quota }) => ({ name, own: tenantAllowance(size, quota).pods }))
      .filter(({ own }) => own > podsLeft)
      .map(({ name, own }) => ({
        key: `kraft:tenants.${name}`,
        message:
          `promised ${own} pods, of which ${Math.max(0, podsLeft)} fit beside the platform and K3k at ${podsPerNode} pods ` +
          `a node: set quota.pods, or raise maxPods of the kubelets`,
      })),
  ];
}

function copiesOf(replicas: number): string {
  return replicas === 1 ? "1 copy" : `${replicas} copies`;
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${rounded(share * 100, 0)} %` : "all";
}
