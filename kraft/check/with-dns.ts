import type { Model } from "../../infra/model.ts";
import type { NameServers } from "./ask.ts";
import type { Checked } from "./checked.ts";
import { dnsTable, dnsWarnings, judgeDns, namesOf } from "./dns.ts";

/** Adds DNS to the findings about a stack. */
export async function withDns(checked: Checked, model: Model, nameServers: NameServers): Promise<Checked> {
  const names = namesOf(model).map(({ name }) => name);
  const dns = judgeDns(model, await nameServers.ask(names, model.entrypoint));
  return {
    ...checked,
    tables: [...checked.tables, dnsTable(dns, nameServers.servers)],
    warnings: [...checked.warnings, ...dnsWarnings(dns)],
    dns,
  };
}
