import {
  type Balance,
  capacity,
  type CapacityLoad,
  capacityTable,
  decisive,
  type Row,
} from "../../../infra/checks/capacity.ts";
import { costTables, type Subject } from "../../../infra/checks/cost.ts";
import type { Table } from "../../../infra/table.ts";
import { invocation } from "../../cli/verb.ts";
import type { Bar, BarPart, Section } from "./page.ts";

/** What a preview reckons with, as `kraft check` says it. */
export interface Figures {
  /** A row for each of `balances`, under its headings. */
  readonly capacity: Table;
  readonly balances: readonly Row[];
  /** None where the stack file has no prices. */
  readonly cost: readonly Table[];
}

/** The figures of a stack file without problems. */
export function figuresOf(model: CapacityLoad & Subject): Figures {
  return { capacity: capacityTable(model), balances: capacity(model), cost: costTables(model) };
}

/** What is promised of what there is. */
export function capacitySection(stack: string, figures: Figures | undefined): Section {
  const title = "Capacity";
  if (figures === undefined) {
    const text = `Not known: the stack file has problems. See ${invocation} check -s ${stack}`;
    return { title, blocks: [{ text }] };
  }
  const [headings = [], ...rows] = figures.capacity.rows;
  return {
    title,
    blocks: [
      { legend: ["platform", "K3k", "tenants", "limit"] },
      {
        caption: figures.capacity.title,
        headings: [...headings, "share"],
        rows: rows.map(([resource = "", ...cells], index) => {
          const row = figures.balances[index];
          return [resource, ...cells, row === undefined ? "-" : balanceBar(row.resource, decisive(row))];
        }),
      },
    ],
  };
}

/** The demand on a line as long as the supply, or longer where the demand is: the mark is at the supply. */
export function balanceBar(resource: string, balance: Balance): Bar {
  const { available, platform, k3k, promised, overcommit } = balance;
  const tenants = promised / overcommit;
  const needed = platform + k3k + tenants;
  const whole = Math.max(available, needed);
  const share = (amount: number): number => (whole === 0 ? 0 : amount / whole);
  const parts: BarPart[] = [
    { kind: "platform", share: share(platform) },
    { kind: "K3k", share: share(k3k) },
    { kind: "tenants", share: share(tenants) },
  ];
  const percents = [
    `platform ${percent(platform, available)}`,
    `K3k ${percent(k3k, available)}`,
    `tenants ${percent(tenants, available)} of what there is`,
    ...(needed > available ? ["more than fits"] : []),
  ];
  return {
    alternative: `${resource}: ${percents.join(", ")}`,
    parts,
    marks: [share(available)],
  };
}

function percent(amount: number, available: number): string {
  return available === 0 ? "all" : `${Math.round((amount / available) * 100)} %`;
}
