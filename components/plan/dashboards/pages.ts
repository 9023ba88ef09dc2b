import { backups } from "./backups.ts";
import { capacity } from "./capacity.ts";
import { house } from "./house.ts";
import { tenantPage } from "./tenant.ts";

/** Every dashboard. The first is what Grafana opens with. */
export const pages = [house, tenantPage, backups, capacity] as const;
