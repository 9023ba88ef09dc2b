import { schedules } from "../../components/plan/storage.ts";
import { listIf } from "../../errors/problem.ts";
import type { Model } from "../model.ts";
import type { Table } from "../table.ts";
import { shares, total, volumeBytes } from "./figures.ts";

export type Subject = Pick<Model, "stack" | "tenants" | "dailyChange" | "prices">;

/** Hours of a month: a twelfth of 365.25 days. */
const hoursPerMonth = 730.5;

/** Wasabi's minimum charges: terabytes, and days of storage per object (docs.wasabi.com). */
const leastTerabytes = 1;
const leastDays = 90;

/**
 * The most that the bucket can hold, in terabytes: every volume full, and the changes of all days that are kept or paid
 * for, whichever are more. Longhorn stores a block once, however many backups contain it.
 */
export function storedTerabytes(bytes: number, dailyChange: number): number {
  const kept = schedules.find(({ name }) => name === "backup-daily")?.retain ?? 0;
  return (bytes * (1 + dailyChange * Math.max(kept, leastDays))) / 1e12;
}

/**
 * The cost of a month, divided among the tenants in proportion to what each was promised: electricity by the mean of the
 * shares of CPU and memory, Wasabi by the share of volumes. The platform's own cost is divided among them too.
 */
export function costs(subject: Subject) {
  const { stack, prices, dailyChange } = subject;
  if (prices === undefined) {
    return [];
  }
  const all = shares(subject.tenants, stack.nodes.length);
  const kilowatts = total(stack.nodes, ({ watts = 0 }) => watts) / 1000;
  const electricity = kilowatts * hoursPerMonth * prices.perKilowattHour;
  const storage = total(all, volumeBytes);
  const wasabi = Math.max(leastTerabytes, storedTerabytes(storage, dailyChange)) * prices.wasabiPerTerabyteMonth;
  const cpu = total(all, ({ allowance }) => allowance.millicpu);
  const memory = total(all, ({ allowance }) => allowance.memoryMebibytes);
  return all.map((share) => ({
    tenant: share.tenant.name,
    electricity: (electricity * (share.allowance.millicpu / cpu + share.allowance.memoryMebibytes / memory)) / 2,
    wasabi: (wasabi * volumeBytes(share)) / storage,
  }));
}

export function costTables(subject: Subject): Table[] {
  const each = costs(subject);
  const row = (name: string, some: typeof each): string[] => {
    const electricity = total(some, (cost) => cost.electricity);
    const wasabi = total(some, (cost) => cost.wasabi);
    return [name, electricity.toFixed(2), wasabi.toFixed(2), (electricity + wasabi).toFixed(2)];
  };
  return listIf(each.length > 0, {
    title: `Cost of a month in ${subject.prices?.currency}, by what tenants were promised; hardware, line and work not counted`,
    rows: [
      ["", "electricity", "Wasabi", "together"],
      ...each.map((cost) => row(cost.tenant, [cost])),
      row("all", each),
    ],
  });
}
