// docs/nodes.md, "The guests' version": raised in the stack file while visitors open the tenants' sites and the tenants ask
// their guests' APIs. Versions that are refused come first, then every guest restarts with its data, one after the other.
import { setTimeout as sleep } from "node:timers/promises";
import { guestServerLabel } from "../../cluster/guest-server.ts";
import { condition } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { Failure, messageOf } from "../../errors/failure.ts";
import { guestVersions } from "../../local/images/images.ts";
import { local } from "../../stacks/local.ts";
import { eventually } from "../cluster/embedded.ts";
import type { EmbeddedHome } from "../live/embedded-home.ts";
import { clock, type Rehearsal } from "./rehearsal.ts";
import { expectFiles, moveInWithFiles, serverOf, shop, waitingPods } from "./tenants.ts";
import { everyoneSees, tenantAtTheirApi, Visitor } from "./visitor.ts";

/** The tenants of the stack `local`. All have a guest; the first two have moved in. */
const tenants = ["acme", "blue", "coral"] as const;
const settled = tenants.slice(0, 2);

/** The version that guests run at first, and the next patch. */
const [before = "", next = ""] = guestVersions(local.guestVersion);
/** A version that the home's registry says it does not have. */
const absent = "v1.35.99-k3s1";

export async function run(rehearsal: Rehearsal): Promise<void> {
  const home = rehearsal.home();
  await rehearsal.step("a home comes up", () => rehearsal.bringUp(home));
  const files = new Map<string, Readonly<Record<string, string>>>();
  for (const tenant of settled) {
    files.set(tenant, await rehearsal.step(`${tenant} moves in`, () => moveInWithFiles(home, tenant)));
  }
  const sites = new Map(settled.map((tenant) => [tenant, new Visitor(home, `https://${shop}.${tenant}.example/`)]));
  const apis = new Map<string, Visitor>();
  for (const tenant of tenants) {
    apis.set(tenant, await tenantAtTheirApi(home, tenant));
  }
  const visitors = [...sites.values(), ...apis.values()];
  rehearsal.removeAtEnd(() => {
    visitors.forEach((visitor) => {
      visitor.leave();
    });
  });
  await everyoneSees(visitors);
  const undisturbed: Undisturbed = { since: Date.now(), sites, pods: await podsOf(home), files };

  await refused(rehearsal, home, "v1.36.0-k3s1", ["upgrade the host first"]);
  await refused(rehearsal, home, "v1.35.3-k3s1", ["an older version does not read what a newer one wrote"]);
  await refused(rehearsal, home, "v1.34.9-k3s1", ["an older version does not read what a newer one wrote"]);
  await takeBack(rehearsal, home, apis);
  await expectSameTenants(rehearsal, home, undisturbed);

  const servers = new Servers(home);
  const start = Date.now();
  const printed = await rehearsal.step(`kraft:guestVersion is ${next}, pulumi up`, () =>
    home.bringUp({ "kraft:guestVersion": next }),
  );
  const taken = (Date.now() - start) / 1000;
  await everyoneSees(visitors);
  await everyPodIsReady(home);
  await servers.leave();

  rehearsal.figure("pulumi up, and what npm run local does beside it", clock(taken));
  const said = /one after the other: [\w, ]+/.exec(printed)?.[0] ?? "nothing";
  rehearsal.expect("what it says first", said, said.includes(tenants.join(", ")));
  for (const tenant of tenants) {
    rehearsal.figure(`the API of ${tenant}`, absence(apis.get(tenant), start));
  }
  rehearsal.expect(
    "most servers that were not ready at once",
    `${servers.most}, in the order ${servers.order.join(", ")}`,
    servers.most === 1 && servers.order.join() === tenants.join(),
  );
  rehearsal.figure("questions that the host's API server did not answer", String(servers.unanswered));
  for (const tenant of tenants) {
    await expectImage(rehearsal, home, tenant, next);
  }
  await expectSameTenants(rehearsal, home, undisturbed);
  await refused(rehearsal, home, before, ["an older version does not read what a newer one wrote"]);
  const again = await rehearsal.step("the same once more", () => home.bringUp({ "kraft:guestVersion": next }));
  const unchanged = /Nothing changed: .*/.exec(again)?.[0];
  rehearsal.expect("a second pulumi up", unchanged ?? again, unchanged !== undefined);
  await rehearsal.command("npx kraft status -s local", () => home.tool("status", "-s", "local"));
}

/** Has a rehearsal fail where a run with a version of the guests is not refused, or not for these reasons. */
async function refused(
  rehearsal: Rehearsal,
  home: EmbeddedHome,
  version: string,
  reasons: readonly string[],
): Promise<void> {
  const said = await rehearsal.step(`kraft:guestVersion is ${version}, pulumi up`, () =>
    home.bringUp({ "kraft:guestVersion": version }).then(
      () => "nothing: it was not refused",
      (error: unknown) => messageOf(error),
    ),
  );
  const text = said.replace(/\s+/g, " ");
  const missing = reasons.filter((reason) => !text.includes(reason));
  rehearsal.expect(`${version} is refused`, missing.length === 0 ? reasons.join("; ") : said, missing.length === 0);
}

/** A version that does not exist reaches one guest, whose API is away until the version before is written back. */
async function takeBack(rehearsal: Rehearsal, home: EmbeddedHome, apis: ReadonlyMap<string, Visitor>): Promise<void> {
  const start = Date.now();
  const [first, ...others] = tenants;
  await refused(rehearsal, home, absent, [`the guest of ${first} on ${absent}: there is no such image`]);
  rehearsal.figure("until that was said", clock((Date.now() - start) / 1000));
  await expectImage(rehearsal, home, first, absent);
  for (const tenant of others) {
    await expectImage(rehearsal, home, tenant, before);
  }
  const back = Date.now();
  await rehearsal.step(`kraft:guestVersion is ${before} again, pulumi up`, () =>
    home.bringUp({ "kraft:guestVersion": before }),
  );
  rehearsal.figure("pulumi up, on the way back", clock((Date.now() - back) / 1000));
  await everyoneSees([...apis.values()]);
  await everyPodIsReady(home);
  for (const tenant of tenants) {
    await expectImage(rehearsal, home, tenant, before);
  }
  rehearsal.figure(`the API of ${first}`, absence(apis.get(first), start));
  for (const tenant of others) {
    const away = absence(apis.get(tenant), start);
    rehearsal.expect(`the API of ${tenant}`, away, away === neverAway);
  }
}

async function everyPodIsReady(home: EmbeddedHome): Promise<void> {
  for (const tenant of tenants) {
    await eventually(
      `every pod of ${tenant}`,
      async () => ((await waitingPods(home.guest(tenant))).length === 0 ? true : undefined),
      180,
    );
  }
}

const neverAway = "never away";

/** When an API did not answer, from a moment on. */
function absence(api: Visitor | undefined, start: number): string {
  const away = api?.away(start);
  const after = (moment: number): string => clock((moment - start) / 1000);
  return away === undefined
    ? neverAway
    : `away from ${after(away.from)} to ${after(away.until)}, for ${clock((away.until - away.from) / 1000)}`;
}

/** What no change of the guests' version may touch, as it was at first. */
interface Undisturbed {
  /** From when on each site's page came, in milliseconds. */
  readonly since: number;
  readonly sites: ReadonlyMap<string, Visitor>;
  readonly pods: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

async function expectSameTenants(rehearsal: Rehearsal, home: EmbeddedHome, was: Undisturbed): Promise<void> {
  for (const [tenant, site] of was.sites) {
    rehearsal.figure(
      `calls that the site of ${tenant} missed`,
      `${site.missed(was.since)} ${site.reasons(was.since)}`.trim(),
    );
    const missed = site.away(was.since);
    rehearsal.expect(`the site of ${tenant} was away`, missed === undefined ? "never" : "yes", missed === undefined);
  }
  const now = await podsOf(home);
  const restarted = [...was.pods].filter(([name, uid]) => now.get(name) !== uid).map(([name]) => name);
  rehearsal.expect("pods of tenants that were made anew", restarted.join(", ") || "none", restarted.length === 0);
  for (const [tenant, found] of was.files) {
    await expectFiles(rehearsal, home.guest(tenant), found);
  }
}

async function expectImage(rehearsal: Rehearsal, home: EmbeddedHome, tenant: string, version: string): Promise<void> {
  const image = (await serverOf(home, tenant))?.spec?.containers?.[0]?.image ?? "none";
  rehearsal.expect(`image of the server of ${tenant}`, image, image.endsWith(`:${version}`));
}

/** The pods of tenants on the host but the guests' servers: by their names, what tells them from later ones and from restarts. */
async function podsOf(home: EmbeddedHome): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    tenants.map((tenant) => home.host().list(paths.pods.in(tenantNames(tenant).namespace))),
  );
  return new Map(
    found
      .flat()
      .filter(({ metadata }) => metadata.labels?.["role"] !== "server")
      // cert-manager's answers to a challenge end with it.
      .filter(({ metadata }) => metadata.labels?.["acme.cert-manager.io/http01-solver"] === undefined)
      .map(({ metadata, status }) => [
        `${metadata.namespace ?? ""}/${metadata.name}`,
        `${metadata.uid ?? ""} ${(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount ?? 0).join()}`,
      ]),
  );
}

/** Looks every second which guests' servers are not ready. */
class Servers {
  /** Tenants, as their servers went away. */
  readonly order: string[] = [];
  /** Of how many at once no server was ready. */
  most = 0;
  /** How often the host's API server was asked, and did not answer. */
  unanswered = 0;
  #isOver = false;
  readonly #watching: Promise<void>;

  constructor(home: EmbeddedHome) {
    this.#watching = this.#watch(home);
  }

  async leave(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }

  async #watch(home: EmbeddedHome): Promise<void> {
    while (!this.#isOver) {
      const ready = await this.#ready(home);
      if (ready === undefined) {
        this.unanswered += 1;
        continue;
      }
      const away = tenants.filter((tenant) => !ready.includes(tenantNames(tenant).namespace));
      this.most = Math.max(this.most, away.length);
      this.order.push(...away.filter((tenant) => !this.order.includes(tenant)));
      await sleep(1000);
    }
  }

  /** Namespaces of the servers that are ready. */
  async #ready(home: EmbeddedHome): Promise<readonly (string | undefined)[] | undefined> {
    try {
      return (await home.host().list(labelled(paths.pods.all, guestServerLabel)))
        .filter(
          ({ metadata, status }) =>
            metadata.deletionTimestamp === undefined && condition(status, "Ready")?.status === "True",
        )
        .map(({ metadata }) => metadata.namespace);
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      return undefined;
    }
  }
}
