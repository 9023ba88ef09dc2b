import {
  firstPublicPort,
  nodePorts,
  ownerOfPort,
  portText,
  type PublicPort,
  publicPortLimit,
} from "../../../components/plan/ports.ts";
import { listIf, type Problem, show } from "../../../errors/problem.ts";
import { keyPath } from "../plain-yaml.ts";
import type { Config } from "../schema.ts";

/** Public ports: every one is one tenant's, in no state that may come back a second one's, and none is the platform's own. */
export function portProblems({ tenants = {} }: Partial<Config>): Problem[] {
  const claims = Object.entries(tenants).flatMap(([tenant, { ports }]) =>
    ports.map((port) => ({ tenant, port, text: portText(port), key: keyOf(tenant, port) })),
  );
  const byPort = Map.groupBy(claims, ({ text }) => text);
  const each = claims.flatMap(({ tenant, port, text, key }): Problem[] => {
    const refused = refusal(port);
    if (refused !== undefined) {
      return [{ key, ...refused }];
    }
    const rivals = (byPort.get(text) ?? []).filter((claim) => claim.tenant !== tenant);
    return rivals.map((rival) => ({
      key,
      found: `${show(text)}, a port of ${rival.key} as well`,
      allowed: "a port that no other tenant has: behind one public address it can lead to one Service only",
      fix: `give one of the two another number, for example ${freeNear(port, byPort)}`,
    }));
  });
  const many = Object.entries(tenants).flatMap(([tenant, { ports }]) =>
    listIf(ports.length > publicPortLimit, {
      key: `kraft:tenants.${tenant}.ports`,
      found: `${ports.length} ports`,
      allowed: `up to ${publicPortLimit}: the router needs a rule for each`,
      fix: "leave out those that can do without: http and https need none, an Ingress is enough",
    }),
  );
  return [...each, ...many];
}

/** Why a tenant cannot have this port, whoever else there is; undefined where nothing speaks against it. */
function refusal({ port, protocol }: PublicPort): Omit<Problem, "key"> | undefined {
  const found = show(portText({ port, protocol }));
  if (port === 80 || port === 443) {
    const allowed = "any port but 80 and 443: they are everybody's, told apart by the host of an Ingress";
    return { found, allowed, fix: "remove it: the tenant writes an Ingress" };
  }
  if (port < firstPublicPort) {
    const allowed = `${firstPublicPort} to 65535: lower ones are for services of the nodes and the router, such as SSH and DNS`;
    const similar = port < 100 ? port * 101 : port + 8000;
    return {
      found,
      allowed,
      fix: `take a larger number, for example ${freeNear({ port: similar - 1, protocol }, none)}`,
    };
  }
  const owner = ownerOfPort(port);
  if (owner === undefined) {
    return undefined;
  }
  const allowed = `a port of nobody else's; ${nodePorts.first} to ${nodePorts.last} are Kubernetes' node ports`;
  return { found: `${found}, ${owner}`, allowed, fix: "take another number, and tell the application's users" };
}

const none: ReadonlyMap<string, unknown> = new Map();

/** The next port that a tenant could have and none does. */
function freeNear(
  { port, protocol }: Pick<PublicPort, "port" | "protocol">,
  taken: ReadonlyMap<string, unknown>,
): string {
  for (let next = port + 1; next <= 65535; next++) {
    const text = portText({ port: next, protocol });
    if (!taken.has(text) && ownerOfPort(next) === undefined) {
      return text;
    }
  }
  return portText({ port: firstPublicPort, protocol });
}

function keyOf(tenant: string, port: PublicPort): string {
  return keyPath(["kraft:tenants", tenant, "ports", portText(port)]);
}
