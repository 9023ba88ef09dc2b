// A bad evening, from its beginning to its end, on an embedded home with real pods.
//
//   npm run rehearse -- <name>
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { cacheDirectory } from "../../local/cache.ts";
import { obstacle, surroundings } from "../../local/home/possible.ts";
import { Rehearsal } from "./rehearsal.ts";

/** What each one is, and who does it. */
const rehearsals: Readonly<
  Record<string, readonly [summary: string, load: () => Promise<{ run: (rehearsal: Rehearsal) => Promise<void> }>]>
> = {
  alerts: [
    "a wall, a backup, a site and a certificate go wrong, and each is told and taken back",
    () => import("./alerts.ts"),
  ],
  "burnt-house": ["the home is gone, and comes back from its bucket", () => import("./burnt-house.ts")],
  certificates: [
    "from staging to production, renewals in time and late, names that are not issued",
    () => import("./certificates.ts"),
  ],
  "disk-full": ["the system disk of a node is full, and has room again", () => import("./disk-full.ts")],
  domains: [
    "twenty names at once, a domain that is taken, the line cut, an authority that limits orders",
    () => import("./domains.ts"),
  ],
  "entry-address": ["the node that answers for the entrypoint dies", () => import("./entry-address.ts")],
  floods: ["a tenant takes all that they can get, and the neighbour is watched", () => import("./floods.ts")],
  "guest-version": ["every guest comes onto the next version of K3s", () => import("./guest-version.ts")],
  heartbeat: ["an hour in which all is well, then the whole house is dark", () => import("./heartbeat.ts")],
  kills: ["every part is killed in turn, and comes back", () => import("./kills.ts")],
  move: ["a tenant moves from one home to another", () => import("./move.ts")],
  "node-death": ["a node dies, tenants come back by the page, and the node does too", () => import("./node-death.ts")],
  "node-restart": ["every node is drained and restarts, one after the other", () => import("./node-restart.ts")],
  "power-cuts": ["the power of every node is cut while a tenant writes", () => import("./power-cuts.ts")],
};

enableCompileCache(join(cacheDirectory(), "compiled"));
const [name = ""] = process.argv.slice(2);
const chosen = rehearsals[name];
const reason = obstacle(surroundings());
if (chosen === undefined) {
  console.error("usage: npm run rehearse -- <name>\n");
  for (const [each, [summary]] of Object.entries(rehearsals)) {
    console.error(`  ${each.padEnd(14)} ${summary}`);
  }
  process.exitCode = 2;
} else if (reason !== undefined) {
  console.error(`This machine cannot run a rehearsal: ${reason}`);
  process.exitCode = 2;
} else {
  const { run } = await chosen[1]();
  process.exitCode = (await new Rehearsal().run(run)) ? 0 : 1;
}
