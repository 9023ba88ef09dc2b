import { z } from "zod";
import { kindOf } from "../../../components/plan/network/address.ts";
import { expect, text } from "./values.ts";

/** Where the operator is told what is wrong, and who notices when the house is dark. */

/**
 * Names that no public name server knows: of mDNS (RFC 6762), of homes (RFC 8375), of private networks (ICANN, 2024), what routers
 * like to call their network, and the router of many a German house.
 */
const onlyAtHome = /(^|\.)(local|home\.arpa|internal|lan|home|localdomain|localhost|fritz\.box)\.?$/;

/**
 * Whether alerts can be sent to a URL: encrypted, to a server on the internet, with no password in it. Alertmanager is not let
 * into the home network, and a server in the house would go dark with it. Only to names under .test, which no real server has
 * (RFC 6761), may they travel unencrypted.
 */
function isOutside(written: string): boolean {
  if (!URL.canParse(written)) {
    return false;
  }
  const { hash, hostname, password, protocol, username } = new URL(written);
  const isIPv4 = /^[0-9.]+$/.test(hostname);
  return (
    username === "" &&
    password === "" &&
    hash === "" &&
    (protocol === "https:" || (protocol === "http:" && hostname.endsWith(".test"))) &&
    (isIPv4 ? kindOf(hostname) === "internet" : hostname.includes(".") && !hostname.startsWith("[")) &&
    !onlyAtHome.test(hostname)
  );
}

function outside(what: string, example: string, pattern = /./) {
  const expectation = expect(
    `${what}: https, on the internet, without a user or password in it`,
    `for example ${example}`,
  );
  return z.string(expectation).refine((url) => isOutside(url) && pattern.test(url), expectation);
}

const emailExample =
  '{ to: eva@meier.example, from: house@meier.example, server: "smtp.meier.example:587", user: house }';
const ntfyExample = "https://ntfy.sh/kraft-5b1e0c8d7f";
const endsWithTopic = /^https?:\/\/[^?]+\/[A-Za-z0-9_-]{1,64}$/;
const mailServer = expect(
  "name and port of a mail server on the internet that encrypts",
  "for example smtp.meier.example:587",
);
const address = (what: string) => z.email(expect(what, "for example eva@meier.example"));

export const alerts = z.strictObject(
  {
    ntfy: outside("the URL of a topic at an ntfy server", ntfyExample, endsWithTopic)
      .optional()
      .describe("Server and topic of ntfy. On a public server the topic is as good as a password: make it long"),
    email: z
      .strictObject(
        {
          to: address("the address that you read").describe("Who is written to"),
          from: address("the address that the server lets you send from").describe("Who writes"),
          server: text(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}:[1-9][0-9]{0,4}$/, mailServer)
            .refine((server) => !onlyAtHome.test(server.replace(/:\d+$/, "")), mailServer)
            .describe("Mail server and port, for example smtp.meier.example:587"),
          user: text(/^\S+$/, expect("a user name without spaces", "leave it out where the server asks for none"))
            .optional()
            .describe("User at the mail server; its password is kraft:alertEmailPassword"),
        },
        expect("a map with to, from, server and user", `for example \`email: ${emailExample}\``),
      )
      .optional()
      .describe("E-mail by a server of your own"),
    webhook: outside("the URL that takes Alertmanager's JSON", "https://hooks.meier.example/kraft")
      .optional()
      .describe("A URL that Alertmanager's own JSON is sent to"),
    heartbeat: outside("the URL of a check at a service that notices silence", "https://hc-ping.com/<the check's UUID>")
      .optional()
      .describe(
        "A URL outside of the house that is called every five minutes; whoever is behind it tells you when that ends",
      ),
  },
  expect("a map with ntfy, email, webhook and heartbeat", `for example \`kraft:alerts: { ntfy: ${ntfyExample} }\``),
);

/** What draws the dashboards, beside what watches the platform. */
export const dashboards = z.enum(
  ["grafana"],
  expect("grafana, or no such key", "write grafana, or: pulumi config rm kraft:dashboards"),
);
