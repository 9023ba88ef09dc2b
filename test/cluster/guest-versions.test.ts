// Guests get another version of K3s one after the other, with the real engine, API server and controllers of Kubernetes and K3k. No
// server of a guest runs: its pod is called ready a second after it was made.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runsReady } from "../../cluster/guest-server.ts";
import { paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { guestVersions } from "../../local/images/images.ts";
import { local } from "../../stacks/local.ts";
import { type Embedded, embedded, eventually } from "./embedded.ts";
import { callServersReady } from "./ready-servers.ts";

/** The tenants of the stack `local`. */
const tenants = ["acme", "blue", "coral"] as const;
const [first = "", next = ""] = guestVersions(local.guestVersion);
/** One that no registry has. */
const unpublished = next.replace(/\.\d+-/, ".99-");

let host: Embedded;
let endServers: () => Promise<void>;

before(async () => {
  host = await embedded("local");
  endServers = callServersReady(host.cluster.api, unpublished);
  await host.up();
});

after(async () => {
  await endServers();
  await host.remove();
});

/** The tenants whose Cluster names a version, and those whose server runs it. */
async function on(version: string) {
  const { api } = host.cluster;
  const told: string[] = [];
  const running: string[] = [];
  // The last one first: whoever was told before it runs the version by the time that is looked at.
  for (const tenant of tenants.toReversed()) {
    const { namespace, cluster, server } = tenantNames(tenant);
    if ((await api.get(paths.clusters.named(namespace, cluster)))?.spec?.version === version) {
      told.unshift(tenant);
    }
    if (runsReady(await api.get(paths.pods.named(namespace, `${server}-0`)), version)) {
      running.unshift(tenant);
    }
  }
  return { told, running };
}

test("each guest is told once the server of the one before it runs the version", async () => {
  await eventually("every server", async () =>
    (await on(first)).running.length === tenants.length ? true : undefined,
  );
  const seen: Awaited<ReturnType<typeof on>>[] = [];
  const end = new AbortController();
  const watching = (async () => {
    while (!end.signal.aborted) {
      seen.push(await on(next));
      await sleep(100);
    }
  })();
  const { messages } = await host.up({ "kraft:guestVersion": next }).finally(() => {
    end.abort();
  });
  await watching;
  const restarts = messages.filter(({ text }) => text.includes("these guests restart, one after the other"));
  assert.match(restarts.map(({ text }) => text).join("\n"), /: acme, blue, coral\. Each API is away/);
  assert.deepEqual(await on(next), { told: tenants, running: tenants });
  for (const { told, running } of seen) {
    assert.deepEqual(told, tenants.slice(0, told.length));
    // Of the last that was told the server may be away.
    const before = told.slice(0, -1);
    assert.deepEqual(running.slice(0, before.length), before, JSON.stringify(seen));
  }
  assert.ok(
    seen.some(({ told }) => told.length === 1) && seen.some(({ told }) => told.length === 2),
    JSON.stringify(seen),
  );
});

test("a second run changes nothing", async () => {
  assert.deepEqual((await host.preview({ "kraft:guestVersion": next })).steps, []);
});

test("a version that no registry has ends the run at the first guest, and the stack file can go back, but no further", async () => {
  const message = await host.refusal("up", { "kraft:guestVersion": unpublished });
  const [, tenant, untouched] =
    /^the guest of (\w+) on .*: there is no such image; [^]*?^Not touched.*: (.*)\.$/m.exec(message) ?? [];
  assert.deepEqual([tenant, untouched], ["acme", `blue (${next}), coral (${next})`], message);
  assert.deepEqual(await on(unpublished), { told: ["acme"], running: [] });
  assert.match(
    await host.refusal("preview", { "kraft:guestVersion": first }),
    /an older version does not read what a newer one wrote/,
  );
  await host.up({ "kraft:guestVersion": next });
  assert.deepEqual(await on(next), { told: tenants, running: tenants });
  assert.deepEqual((await host.preview({ "kraft:guestVersion": next })).steps, []);
});
