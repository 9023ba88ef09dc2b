// The one home that all tests of this folder share: brought up before the first of them, and removed after the last, also
// when the process is ended.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import type * as k8s from "@kubernetes/client-node";
import { parse } from "yaml";
import type { Api as ClusterApi } from "../../cluster/api.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { Api } from "../../local/api.ts";
import { obstacle, surroundings } from "../../local/home/possible.ts";
import type { Config } from "../cluster/embedded.ts";
import type { Ended } from "../fixtures/kraft/command.ts";
import { EmbeddedHome, type EndedInPod, type Guest } from "./embedded-home.ts";

export const tenant = "acme";
export const { namespace } = tenantNames(tenant);

/**
 * The tenant's ports, and the Service that they lead to. They are declared from the first run on, and `ports.ts` takes them away:
 * each change rolls Traefik over every node.
 */
export const ports = { tcp: 25565, udp: 34197, service: "names", listens: 7000 } as const;

const home = new EmbeddedHome();

/** Everything of the home is in this folder. */
export const { directory, roots } = home;

/** What the run that brought the home up printed. */
export let firstUp: string;

before(async () => {
  const reason = obstacle(surroundings());
  assert.equal(reason, undefined, `this machine cannot run the live tests: ${reason ?? ""}`);
  firstUp = await bringUp(withPorts());
});

/** The stack file's tenants, the first of them with the ports. */
function withPorts(): Config {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "Pulumi.local.yaml"), "utf8");
  const { config } = parse(text) as { readonly config: Readonly<Record<string, Readonly<Record<string, object>>>> };
  const tenants = config["kraft:tenants"] ?? {};
  const destination = `default/${ports.service}:${ports.listens}`;
  const declared = { [`${ports.tcp}/tcp`]: destination, [`${ports.udp}/udp`]: destination };
  return { "kraft:tenants": { ...tenants, [tenant]: { ...tenants[tenant], ports: declared } } };
}

after(remove);

/** Removes the home, once. */
export function remove(): Promise<void> {
  return home.remove();
}

/**
 * Runs what `npm run local` does; gives what it printed. Fails the test if it does not succeed.
 *
 * @param config Keys that win over those of the stack file.
 */
export function bringUp(config?: Config): Promise<string> {
  return home.bringUp(config);
}

/** Runs the operator's tool on the home's stack. */
export function tool(...commandArguments: readonly string[]): Promise<Ended> {
  return home.tool(...commandArguments);
}

/** The port of this machine that leads to the home's public address. */
export function websecure(): number {
  return home.websecure();
}

/** The host's API server, as its administrator. */
export function host(): Api {
  return home.host();
}

function ofTenant(): Guest {
  return home.guest(tenant);
}

/** A kubeconfig that the tool handed out, over the loopback address: only the home's own internet knows the name in it. */
export function overLoopback(text: string): k8s.KubeConfig {
  return ofTenant().overLoopback(text);
}

/** The tenant's kubeconfig. */
export function guestKubeconfig(): Promise<k8s.KubeConfig> {
  return ofTenant().kubeconfig();
}

/** The guest's API server, as the tenant, through the router and Traefik. */
export function guest(): Promise<ClusterApi> {
  return ofTenant().api();
}

/** What a command prints in a pod of the guest, and how it ended, by the guest's API. */
export function inPod(pod: string, ...command: readonly string[]): Promise<EndedInPod> {
  return ofTenant().inPod(pod, ...command);
}

/** What a command prints at the visitor's, on the internet. Fails the test if the command does. */
export function atVisitor(...command: readonly string[]): string {
  return home.atVisitor(...command);
}

/** What an https address answers the visitor, who trusts the internet's certificate authority only; why not, if it does not. */
export function visited(url: string): string {
  return home.visited(url);
}

/** The name of the one pod of the guest with a label `app`, once it is Ready and, if that is asked, on a node. */
export function readyPod(app: string, node?: string, seconds?: number): Promise<string> {
  return ofTenant().readyPod(app, node, seconds);
}
