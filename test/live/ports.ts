// Ports of a tenant, from the stack file to the pod: over the router and Traefik, with real packets of TCP and UDP.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { withoutRights } from "../../kraft/welcome/sample.ts";
import { router, visitor } from "../../local/home/addresses.ts";
import { inNetworkOf } from "../../local/home/enter.ts";
import { eventually } from "../cluster/embedded.ts";
import { bringUp, directory, guest, readyPod, tenant } from "./home.ts";

const app = "echo";
const listens = 7000;

/** Sends a line by TCP or UDP, again and again for three seconds, and prints what comes back first. */
const program = `const [, protocol, address, port, line] = process.argv;
const got = (data) => { process.stdout.write(data); process.exit(0); };
setTimeout(() => process.exit(1), 3000);
if (protocol === "tcp") {
  const socket = require("node:net").connect(Number(port), address, () => socket.write(line));
  socket.on("data", got).on("error", () => process.exit(1));
} else {
  const socket = require("node:dgram").createSocket("udp4").on("message", got);
  const send = () => socket.send(line, Number(port), address);
  send();
  setInterval(send, 300);
}`;

/** What a port of the home's public address sends back to the visitor; empty where it does not. */
function echo(protocol: "tcp" | "udp", port: number, line: string): string {
  const command = [process.execPath, "-e", program, protocol, router.publicAddress, String(port), line];
  const [executable = "", ...rest] = inNetworkOf(directory, visitor.name, ...command);
  return spawnSync(executable, rest, { encoding: "utf8" }).stdout;
}

/** The stack file's tenants, the first of them with these ports. */
function withPorts(ports: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "Pulumi.local.yaml"), "utf8");
  const { config } = parse(text) as { readonly config: Readonly<Record<string, Readonly<Record<string, object>>>> };
  const tenants = config["kraft:tenants"] ?? {};
  return { "kraft:tenants": { ...tenants, [tenant]: { ...tenants[tenant], ports } } };
}

/** One container a protocol, each of which sends back what it gets, and a Service with both. */
async function deployEcho(): Promise<void> {
  const api = await guest();
  const labels = { app };
  const metadata = { name: app, namespace: "default" };
  const containers = ["tcp", "udp"].map((protocol) => ({
    name: protocol,
    image: "busybox:1.37.0",
    command: [`${protocol}svd`, "0.0.0.0", String(listens), "cat"],
    resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "32Mi" } },
    securityContext: withoutRights.container,
  }));
  await api.create("/apis/apps/v1/namespaces/default/deployments", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { securityContext: withoutRights.pod, containers } },
    },
  });
  await api.create("/api/v1/namespaces/default/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      selector: labels,
      ports: ["TCP", "UDP"].map((protocol) => ({ name: protocol.toLowerCase(), protocol, port: listens })),
    },
  });
  await readyPod(app);
}

test("a port of TCP and one of UDP lead from the internet to the tenant's Service, and end with their line in the file", async () => {
  await deployEcho();
  const destination = `default/${app}:${listens}`;
  await bringUp(withPorts({ "25565/tcp": destination, "34197/udp": destination }));
  await eventually("an answer by TCP", () =>
    Promise.resolve(echo("tcp", 25565, "over TCP") === "over TCP" ? true : undefined),
  );
  await eventually("an answer by UDP", () =>
    Promise.resolve(echo("udp", 34197, "over UDP") === "over UDP" ? true : undefined),
  );
  assert.equal(echo("udp", 25565, "the other protocol"), "");
  assert.equal(echo("tcp", 34197, "the other protocol"), "");
  assert.equal(echo("tcp", 8080, "Traefik's own port"), "");
  await bringUp();
  assert.equal(echo("tcp", 25565, "no longer"), "");
  assert.equal(echo("udp", 34197, "no longer"), "");
});
