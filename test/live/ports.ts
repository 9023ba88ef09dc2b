// Ports of a tenant, from the stack file to the pod: over the router and Traefik, with real packets of TCP and UDP.
import assert from "node:assert/strict";
import { test } from "node:test";
import { paths } from "../../cluster/paths.ts";
import { withoutRights } from "../../kraft/welcome/sample.ts";
import { router, visitor } from "../../local/home/addresses.ts";
import { runInMachine } from "../../local/home/enter.ts";
import { coreDnsImage } from "../../local/images/images.ts";
import { eventually } from "../cluster/embedded.ts";
import { bringUp, directory, guest, ports, readyPod } from "./home.ts";

const { service: app, listens } = ports;
const answer = "192.0.2.25";

/** What the visitor gets from a name server on a port of the home's public address. */
function ask(protocol: "tcp" | "udp", port: number = ports[protocol]): string {
  const how = ["+short", "+time=1", "+tries=1", protocol === "tcp" ? "+tcp" : "+notcp"];
  const command = ["dig", ...how, "-p", String(port), `@${router.publicAddress}`, "port.test"];
  return runInMachine(directory, visitor.name, ...command).stdout.trim();
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
  for (const protocol of ["tcp", "udp"] as const) {
    const asked = (): Promise<true | undefined> => Promise.resolve(ask(protocol) === answer ? true : undefined);
    await eventually(`an answer by ${protocol}`, asked);
  }
  assert.notEqual(ask("udp", ports.tcp), answer);
  assert.notEqual(ask("tcp", ports.udp), answer);
  await bringUp();
  assert.notEqual(ask("tcp"), answer);
  assert.notEqual(ask("udp"), answer);
});
