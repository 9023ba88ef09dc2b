import { z } from "zod";
import { firstPublicPort, type PublicPort } from "../../../components/plan/ports.ts";
import { expect, text } from "./values.ts";

/** Public ports of a tenant: `25565/tcp: games/minecraft:25565`. Which numbers a tenant may have is in `../rules/ports.ts`. */

const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const number = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]";
const publicPortPattern = new RegExp(`^(?<port>${number})/(?<protocol>tcp|udp)$`);
const destinationPattern = new RegExp(`^(?<namespace>${label})/(?<name>${label}):(?<servicePort>${number})$`);

const publicPortAllowed = `a port from ${firstPublicPort} to 65535 and its protocol, for example 25565/tcp`;
const destination = text(
  destinationPattern,
  expect("namespace, Service and its port in the tenant's cluster, as <namespace>/<Service>:<port>", (found) =>
    destinationFix(found),
  ),
);

function destinationFix(found: unknown): string {
  const example = "for example games/minecraft:25565";
  if (typeof found !== "string") {
    return example;
  }
  const lower = found.toLowerCase().trim();
  const [service = "", ...rest] = lower.split(":");
  const whole = service.includes("/") ? service : `<namespace>/${service}`;
  const meant = rest.length === 0 ? `${whole}:<port of the Service>` : [whole, ...rest].join(":");
  const filled = meant.replace("<namespace>", "default").replace("<port of the Service>", "1");
  return destinationPattern.test(filled) ? `write ${meant}` : example;
}

/** What somebody meant by a public port that cannot be read: other case, another order, both protocols, none. */
function publicPortFix(found: string): string {
  const digits = /[0-9]+/.exec(found)?.[0] ?? "";
  const protocols = ["tcp", "udp"].filter((protocol) => found.toLowerCase().includes(protocol));
  const meant = (protocols.length === 0 ? ["tcp"] : protocols).map((protocol) => `${digits}/${protocol}`);
  if (/^[0-9]+$/.test(digits) && Number(digits) > 65_535) {
    return "take the port that the application listens on";
  }
  if (!meant.every((each) => publicPortPattern.test(each)) || /[0-9][^0-9]+[0-9]/.test(found)) {
    return "write each port on a line of its own, for example `25565/tcp: games/minecraft:25565`";
  }
  return protocols.length === 0
    ? `write ${digits}/tcp, or ${digits}/udp: the application says which`
    : `write ${meant.join(" and ")}${meant.length > 1 ? ", on lines of their own" : ""}`;
}

const portsExpectation = {
  error: (issue: { readonly code?: string; readonly input?: unknown }) =>
    issue.code === "invalid_key"
      ? `${publicPortAllowed}\n${publicPortFix(String(issue.input))}`
      : "a map of public ports to Services\nfor example `ports: { 25565/tcp: games/minecraft:25565 }`",
};

/** In the order of their numbers, so that the order in the file changes nothing. */
export const ports = z
  .record(z.string().regex(publicPortPattern), destination, portsExpectation)
  .default({})
  .transform((written) =>
    Object.entries(written)
      .map(([key, value]) => publicPort(key, value))
      .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1)),
  );

function publicPort(key: string, value: string): PublicPort {
  const { port = "", protocol } = publicPortPattern.exec(key)?.groups ?? {};
  const { namespace = "", name = "", servicePort = "" } = destinationPattern.exec(value)?.groups ?? {};
  return {
    port: Number(port),
    protocol: protocol === "udp" ? "udp" : "tcp",
    service: { namespace, name },
    servicePort: Number(servicePort),
  };
}
