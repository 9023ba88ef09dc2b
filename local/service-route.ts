import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import { cacheDirectory } from "./cache.ts";
import { withLock } from "./lock.ts";
import { bootId } from "./processes.ts";
import { asRoot } from "./root.ts";
import { writeFileWhole } from "./state.ts";
import { ignore } from "./terminal.ts";

/**
 * Service addresses belong to this machine while an embedded cluster runs: a call to one that nothing listens on is
 * refused at once instead of leaving through the default route and hanging, and real processes can listen on the
 * address of their Service.
 *
 * Routes are the machine's, clusters are many: each cluster that uses a route has a file in the cache, and the last one
 * to stop takes the route away.
 */
interface Claim {
  readonly directory: string;
  readonly cidr: string;
  /** False where the route was there before any cluster of Kraft. */
  readonly ours: boolean;
  /** When the claim was made: a route ends with the machine's power. Absent in claims of an older Kraft. */
  readonly boot?: string;
}

/** Whether a claim says of the route that is there now that Kraft made it. */
function madeIt({ ours, boot = bootId() }: Claim): boolean {
  return ours && boot === bootId();
}

function registry(): string {
  return join(cacheDirectory(), "service-routes");
}

function claimFile(directory: string): string {
  return join(registry(), `${createHash("sha256").update(directory).digest("hex").slice(0, 16)}.json`);
}

/** Claims of clusters that still exist. */
function claims(): Claim[] {
  const folder = registry();
  const found: Claim[] = [];
  for (const name of existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".json")) : []) {
    const claim = JSON.parse(readFileSync(join(folder, name), "utf8")) as Claim;
    if (existsSync(join(claim.directory, "state.json"))) {
      found.push(claim);
    } else {
      rmSync(join(folder, name));
    }
  }
  return found;
}

/** Runs `action` with the claims of all clusters of this user, while none comes or goes. */
export function withClaims<Result>(action: (claims: readonly Claim[]) => Promise<Result> | Result): Promise<Result> {
  return withLock(join(registry(), "lock"), ignore, () => action(claims()));
}

function ip(...ipArguments: string[]): { readonly status: number | null; readonly text: string } {
  const result = spawnSync("ip", ipArguments, { encoding: "utf8" });
  if (result.error !== undefined) {
    throw new Failure("The command `ip` is missing. Install it (`apt install iproute2`) and run the command again.");
  }
  return { status: result.status, text: `${result.stdout}${result.stderr}`.trim() };
}

function routeExists(cidr: string): boolean {
  return ip("route", "show", "table", "local", "exact", cidr).text.includes("dev lo");
}

/** Makes the service addresses of a cluster local, and notes that the cluster in `directory` needs it. */
export async function claimServiceRoute(directory: string, cidr: string): Promise<void> {
  await withClaims((all) => {
    const claims = all.filter((claim) => claim.cidr === cidr);
    const exists = routeExists(cidr);
    const ours = !exists || claims.some(madeIt);
    if (!exists) {
      const foreign = ip("route", "show", "table", "all", "root", cidr).text;
      if (foreign !== "") {
        throw new Failure(
          `The stack's service addresses ${cidr} are in use on this machine's network:\n${foreign}\n` +
            "Stop what uses them (another Kubernetes, a VPN), or run a stack with other addresses.",
        );
      }
    }
    // Before the route: one that nobody has written down, nobody would take away.
    writeFileWhole(claimFile(directory), JSON.stringify({ directory, cidr, ours, boot: bootId() } satisfies Claim));
    if (!exists) {
      try {
        asRoot(["ip", "route", "add", "local", cidr, "dev", "lo"], `The service addresses ${cidr} must be made local`);
      } catch (error) {
        rmSync(claimFile(directory));
        throw error;
      }
    }
  });
}

/** Gives the route back: removed with the last cluster that uses it, if Kraft made it. */
export async function releaseServiceRoute(directory: string): Promise<void> {
  await withClaims((claims) => {
    const own = claims.find((claim) => claim.directory === directory);
    rmSync(claimFile(directory), { force: true });
    const used = claims.some((claim) => claim.directory !== directory && claim.cidr === own?.cidr);
    if (own !== undefined && madeIt(own) && !used && routeExists(own.cidr)) {
      asRoot(["ip", "route", "del", "local", own.cidr, "dev", "lo"], `The local route for ${own.cidr} must be removed`);
    }
  });
}
