// Ports of a tenant, from the stack file to the pod: over the router and Traefik, with real packets of TCP and UDP.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { paths } from "../../cluster/paths.ts";
import { withoutRights } from "../../kraft/welcome/sample.ts";
import { router, visitor } from "../../local/home/addresses.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { coreDnsImage } from "../../local/images/images.ts";
import { eventually } from "../cluster/embedded.ts";
import { bringUp, directory, guest, readyPod, tenant } from "./home.ts";

const app = "names";
const listens = 7000;
const answer = "192.0.2.25";

/** What the visitor gets from a name server on a port of the home's public address. */
function ask(protocol: "tcp" | "udp", port: number): string {
  const how = ["+short", "+time=1", "+tries=1", protocol === "tcp" ? "+tcp" : "+notcp"];
  const command = ["dig", ...how, "-p", String(port), `@${router.publicAddress}`, "port.test"];
  return runInMachine(directory, visitor.name, ...command).stdout.trim();
}

/** The stack file's tenants, the first of them with these ports. */
function withPorts(ports: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "Pulumi.local.yaml"), "utf8");
  const { config } = parse(text) as { readonly config: Readonly<Record<string, Readonly<Record<string, object>>>> };
  const tenants = config["kraft:tenants"] ?? {};
  return { "kraft:tenants": { ...tenants, [tenant]: { ...tenants[tenant], ports } } };
}

/** A name server with one name, since names are asked for by TCP and by UDP. */
async function deployNameServer(): Promise<void> {
  const api = await guest();
  const labels = { app };
  const metadata = { name: app, namespace: "default" };
  await api.create(paths.configMaps.in("default"), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { Corefile: `.:${listens} {\n  hosts {\n    ${answer} port.test\n  }\n}\n` },
  });
  await api.create("/apis/apps/v1/namespaces/default/deployments", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          securityContext: withoutRights.pod,
          containers: [
            {
              name: "main",
              image: coreDnsImage,
              args: ["-conf", "/etc/coredns/Corefile"],
              resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
              securityContext: withoutRights.container,
              volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
            },
          ],
          volumes: [{ name: "config", configMap: { name: app } }],
        },
      },
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
  await deployNameServer();
  const destination = `default/${app}:${listens}`;
  await bringUp(withPorts({ "25565/tcp": destination, "34197/udp": destination }));
  for (const [protocol, port] of [
    ["tcp", 25565],
    ["udp", 34197],
  ] as const) {
    const asked = (): Promise<true | undefined> => Promise.resolve(ask(protocol, port) === answer ? true : undefined);
    await eventually(`an answer by ${protocol}`, asked);
  }
  assert.notEqual(ask("udp", 25565), answer);
  assert.notEqual(ask("tcp", 34197), answer);
  await bringUp();
  assert.notEqual(ask("tcp", 25565), answer);
  assert.notEqual(ask("udp", 34197), answer);
});
