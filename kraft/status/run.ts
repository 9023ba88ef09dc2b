import type { Host } from "../../cluster/client.ts";
import { guestThroughHost } from "../../cluster/guest-api.ts";
import { kubeconfigPath } from "../../cluster/kubeconfig.ts";
import { paths } from "../../cluster/paths.ts";
import { runningVersions } from "../../cluster/running-versions.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { Failure, UsageError } from "../../errors/failure.ts";
import { ConfigError, listIf, type Problem } from "../../errors/problem.ts";
import { declaredVersions } from "../../infra/checks/support.ts";
import { parse } from "../../infra/config/parse.ts";
import { declaredTenantsOf, entryOf, keysOf, modelOf, type StackFile } from "../../infra/config/stack-file.ts";
import { versionChangeProblems } from "../../infra/guards/version-changes.ts";
import { machineZone } from "../../infra/schedule.ts";
import { k3kReleases } from "../../infra/versions.ts";
import { stacks } from "../../stacks/index.ts";
import { stackFileOf } from "../cli/choice.ts";
import { listAll, reach } from "../cli/host.ts";
import type { CommonOptions, Run } from "../cli/verb.ts";
import { checkTarget, writeCredential } from "../kubeconfig/file.ts";
import { type Figures, figuresOf } from "./html/capacity.ts";
import { pageHtml } from "./html/document.ts";
import { planPage } from "./html/plan.ts";
import { answeringGuests, type GuestPods, type LookedInto } from "./lost-pods.ts";
import { statusMetrics } from "./prometheus.ts";
import { observedCollections } from "./report.ts";
import { judge } from "./status.ts";
import { statusText } from "./text.ts";

interface Given {
  readonly guests?: true;
  readonly prometheus?: true;
  /** The file; true for standard output. */
  readonly html?: string | true;
  readonly force?: true;
}

export const run: Run<Given> = async (given, output) => {
  refuseCombinations(given);
  const { html, force = false } = given;
  const path = typeof html === "string" ? html : undefined;
  const file = stackFileOf(given);
  if (path !== undefined) {
    checkTarget(path, force);
  }
  const { timezone } = keysOf(file, ["cluster", "timezone"]);
  const host = await reach(file, output);
  const { context, uid } = host;
  const [observed, versions] = await output.during(
    `reading the cluster ${context}`,
    Promise.all([listAll(host, observedCollections), refusedVersionChanges(file, host)]),
  );
  const tenants = declaredTenantsOf(file);
  const leaveOut = parse(file.raw).config.leaveOut ?? [];
  const expected = { stack: file.stack, tenants, leaveOut, entry: entryOf(file), context, uid, versions };
  const guests =
    given.guests === true
      ? await output.during("looking into the guests", lookInto(answeringGuests(observed.clusters), file, host))
      : undefined;
  const result = judge(observed, expected, new Date(), guests);
  const { description } = file.stack;
  const zone = timezone ?? machineZone();
  const page = (): string => pageHtml(planPage({ status: result, description, zone, figures: figuresIn(file) }));
  if (path !== undefined) {
    writeCredential(path, page(), force);
    output.note(`Written to ${path}.`);
  }
  return {
    json: result,
    text:
      html === true
        ? page()
        : given.prometheus === true
          ? statusMetrics(result)
          : statusText(result, description, output.style, zone),
    ok: result.ok,
  };
};

/** The pods of guests, as each of them and as the host knows them. */
async function lookInto(tenants: readonly string[], file: StackFile, host: Host): Promise<LookedInto> {
  const { kubeconfig, context } = keysOf(file, ["cluster"]).cluster;
  const access = { file: kubeconfigPath(kubeconfig, file.directory), context };
  const podsOf = async (tenant: string): Promise<GuestPods | string> => {
    try {
      // First the guest's: a pod that ends in between must not look lost.
      const inGuest = await (await guestThroughHost(host, access, tenant)).list(paths.pods.all);
      return { inGuest, onHost: await host.list(paths.pods.in(tenantNames(tenant).namespace)) };
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      return error.message;
    }
  };
  return new Map(await Promise.all(tenants.map(async (tenant) => [tenant, await podsOf(tenant)] as const)));
}

function refuseCombinations({ json, prometheus, html, force }: Given & CommonOptions): void {
  const printed = [
    ...listIf(json === true, "--json"),
    ...listIf(prometheus === true, "--prometheus"),
    ...listIf(html === true, "--html without a file"),
  ];
  if (printed.length > 1) {
    throw new UsageError(`${printed.join(" and ")} exclude each other`);
  }
  if (force === true && typeof html !== "string") {
    throw new UsageError("--force replaces a file\n  allowed: together with --html <file>");
  }
  if (typeof html === "string" && stacks.has(html)) {
    throw new UsageError(
      `--html ${html}: the name of a stack, not of a file\n  allowed: --html <file>, and the stack by -s ${html}`,
    );
  }
}

/** What a preview reckons with; undefined where it would be refused. The status is told all the same. */
function figuresIn(file: StackFile): Figures | undefined {
  try {
    return figuresOf(modelOf(file));
  } catch (error) {
    if (error instanceof ConfigError) {
      return undefined;
    }
    throw error;
  }
}

/** What the next `pulumi up` would take back or skip, of what runs. A version that nobody knows is for `kraft check`. */
export async function refusedVersionChanges(file: StackFile, host: Host): Promise<readonly Problem[]> {
  const wanted = file.raw.values["k3kVersion"] ?? file.stack.k3kVersion;
  const k3k = k3kReleases.find(({ version }) => version === wanted);
  if (k3k === undefined) {
    return [];
  }
  const managed = file.raw.values["machines"] !== undefined;
  return versionChangeProblems(declaredVersions({ stack: file.stack, k3k }), await runningVersions(host), managed);
}
