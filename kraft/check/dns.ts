import { getDomain } from "tldts";
import type { Warning } from "../../errors/problem.ts";
import type { Model } from "../../infra/model.ts";
import type { Table } from "../../infra/table.ts";
import type { Answer, NameServers } from "./ask.ts";

/** A name that should resolve to the house. */
export interface Name {
  readonly name: string;
  readonly use: "entrypoint" | "api" | "domain";
  /** Null for the entrypoint, which is everybody's. */
  readonly tenant: string | null;
}

/** What is known of one name; `kraft check --dns --json` prints these. Fields are added, never renamed or taken away. */
export interface DnsName extends Name, Pick<Answer, "cnames" | "addresses"> {
  /** Whether it resolves to the house; null where that is unknown. */
  readonly ok: boolean | null;
  readonly found: string;
  readonly expected: string;
  /** The record to create; null where none is missing, or none is known to be. */
  readonly record: string | null;
}

/** Every name of a stack file that DNS should have. Names under a tenant's domains are up to the tenant. */
export function namesOf(model: Model): Name[] {
  return [
    { name: model.entrypoint, use: "entrypoint", tenant: null },
    ...model.tenants.map(({ name: tenant }): Name => ({
      name: `${tenant}.api.${model.domain}`,
      use: "api",
      tenant,
    })),
    ...model.tenants.flatMap(({ name: tenant, domains }) =>
      domains.map((name): Name => ({ name, use: "domain", tenant })),
    ),
  ];
}

/** Asks for the names of a stack that DNS should have. */
export async function askDns(
  model: Model,
  servers: NameServers,
  isMeant: (name: Name) => boolean = () => true,
): Promise<DnsName[]> {
  const names = namesOf(model).filter(isMeant);
  const answers = await servers.ask(
    names.map(({ name }) => name),
    model.entrypoint,
  );
  return judgeDns(model, answers).filter(isMeant);
}

/** Compares the answers for the names of one stack with what they should be. */
export function judgeDns(model: Model, answers: ReadonlyMap<string, Answer>): DnsName[] {
  const entrypoint = { name: model.entrypoint, ...answerFor(model.entrypoint, answers) };
  return namesOf(model).map((name) => {
    const answer = answerFor(name.name, answers);
    const expectation =
      name.use === "entrypoint"
        ? {
            ok: answer.addresses.length > 0 ? true : answer.failure === null ? false : null,
            found: foundOf(answer),
            expected: "an address",
            record: `${entrypoint.name}. A <address of the house>`,
          }
        : {
            ...comparison(answer, entrypoint),
            expected: `${name.use === "api" ? "" : `a CNAME that reaches ${entrypoint.name}, or `}the addresses of ${entrypoint.name} (${list(entrypoint.addresses) || "none yet"})`,
            record: recordFor(name, model.domain, entrypoint),
          };
    return {
      ...name,
      ...expectation,
      record: expectation.ok === false ? expectation.record : null,
      cnames: answer.cnames,
      addresses: answer.addresses,
    };
  });
}

/** Names that do not resolve to the house, or may not. */
export function dnsWarnings(names: readonly DnsName[]): Warning[] {
  const [first] = names;
  if (first !== undefined && names.length > 1 && names.every(({ ok, found }) => ok === null && found === first.found)) {
    // One name server that is not there, and not as many names that are wrong.
    return [{ key: "dns", message: `nothing is known of any of the ${names.length} names: ${first.found}` }];
  }
  return names
    .filter(({ ok }) => ok !== true)
    .map(({ name, found, expected, record }) => ({
      key: `dns ${name}`,
      message: [`found ${found}`, `expected ${expected}`, ...(record === null ? [] : [`create ${record}`])].join("; "),
    }));
}

/** The findings, one row per name. */
export function dnsTable(names: readonly DnsName[], servers: readonly string[]): Table {
  return {
    title: `DNS, as ${list(servers)} has it`,
    rows: [
      ["name", "use", "as it should be", "found"],
      ...names.map(({ name, use, tenant, ok, found }) => [
        name,
        tenant === null ? use : `${use === "api" ? "API" : use} of ${tenant}`,
        ok === null ? "not known" : ok ? "yes" : "no",
        found,
      ]),
    ],
  };
}

function answerFor(name: string, answers: ReadonlyMap<string, Answer>): Answer {
  return answers.get(name) ?? { exists: false, cnames: [], addresses: [], failure: "not asked" };
}

/** Whether a name resolves to the entrypoint. */
function comparison(answer: Answer, entrypoint: Answer & { readonly name: string }): Pick<DnsName, "ok" | "found"> {
  const found = foundOf(answer);
  const { cnames, addresses, failure } = answer;
  if (cnames.includes(entrypoint.name) || (addresses.length > 0 && list(addresses) === list(entrypoint.addresses))) {
    return { ok: true, found };
  }
  if (failure !== null) {
    return { ok: null, found };
  }
  if (addresses.length > 0 && entrypoint.failure !== null) {
    return { ok: null, found: `${found}, which cannot be compared (${entrypoint.name}: ${foundOf(entrypoint)})` };
  }
  return { ok: false, found };
}

function foundOf({ exists, cnames, addresses, failure }: Answer): string {
  const target = cnames.length === 0 ? [] : [`a CNAME to ${cnames.join(", then to ")}`];
  const known = [...target, ...(addresses.length === 0 ? [] : [list(addresses)])];
  if (failure !== null) {
    return [...known, failure].join(", ");
  }
  if (addresses.length > 0) {
    return known.join(", ");
  }
  if (cnames.length > 0) {
    return `${target.join("")}, which has no address`;
  }
  return exists ? "a name without an address" : "no such name";
}

/** The record to create. Names end in a dot, so that a zone file does not append its own. */
function recordFor(
  { name, use }: Name,
  domain: string,
  entrypoint: { readonly name: string; readonly addresses: readonly string[] },
): string {
  if (use === "api") {
    return `*.api.${domain}. CNAME ${entrypoint.name}.`;
  }
  if (getDomain(name, { allowPrivateDomains: true }) !== name) {
    return `${name}. CNAME ${entrypoint.name}.`;
  }
  // A CNAME must be the only record of its name (RFC 1034, 3.6.2), and a zone's apex has others.
  const alias = `${name}. ALIAS ${entrypoint.name}.`;
  const records = entrypoint.addresses.map((address) => `${name}. ${address.includes(":") ? "AAAA" : "A"} ${address}`);
  return records.length === 0 ? alias : `${alias} (where the provider has no ALIAS: ${list(records)})`;
}

function list(texts: readonly string[]): string {
  return texts.join(", ");
}
