import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectedHost } from "../../cluster/client.ts";
import { type AlertTargets, testAlert, testLabel } from "../../components/plan/monitoring/alertmanager.ts";
import { monitoringNamespace, ports, services } from "../../components/plan/monitoring/parts.ts";
import { Failure } from "../../errors/failure.ts";
import { parse } from "../../infra/config/parse.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { type Attempts, testAttempts, testOutcome } from "./figures.ts";

/** How long targets have, in seconds: Alertmanager tries again for as long as one does not answer. */
const patience = 60;

/** The way through the API server to Alertmanager. */
const alertmanager = `/api/v1/namespaces/${monitoringNamespace}/services/${services.alertmanager}:${ports.alertmanager}/proxy`;

const page = "docs/monitoring.md";

/** One way by which Alertmanager sends, and the targets behind it. */
interface Way {
  readonly integration: "email" | "webhook";
  readonly targets: readonly string[];
}

/** The ways of a stack's targets, and the servers that they lead to. */
function waysOf({ ntfy, email, webhook }: AlertTargets): readonly Way[] {
  const named = (name: string, url: string | undefined) =>
    url === undefined ? [] : [`${name} at ${new URL(url).host}`];
  const ways: readonly Way[] = [
    { integration: "webhook", targets: [...named("ntfy", ntfy), ...named("webhook", webhook)] },
    { integration: "email", targets: email === undefined ? [] : [`e-mail to ${email.to}`] },
  ];
  return ways.filter(({ targets }) => targets.length > 0);
}

export const run: Run<{ readonly test?: true }> = async (given, output) => {
  const file = stackFileOf(given);
  const { alerts } = parse(file.raw).config;
  if (alerts === undefined) {
    throw new Failure(`${file.name} names nobody who is told: set kraft:alerts, see ${page}`);
  }
  const ways = waysOf(alerts);
  const targets = ways.flatMap((way) => way.targets);
  if (given.test !== true) {
    return { json: { targets }, text: [...targets, "Send them a test alert: npx kraft alert --test"] };
  }
  const host = await reach(file, output);
  const results = await output.during(`waiting for ${targets.join(", ")}`, send(host, ways, new Date()));
  return {
    json: { results },
    text: results.map(({ target, taken, refused }) =>
      taken
        ? `${target}: taken`
        : refused > 0
          ? `${target}: not taken, ${refused} attempts failed. Why: kubectl --namespace ${monitoringNamespace} logs deployment/${services.alertmanager}`
          : `${target}: no answer within ${patience} s`,
    ),
    ok: results.every(({ taken }) => taken),
  };
};

/** Has Alertmanager send a test alert, and waits until every target has taken it or the time is up. */
async function send(host: ConnectedHost, ways: readonly Way[], now: Date) {
  const before = await attemptsOf(host);
  const alert = {
    labels: { alertname: testAlert, severity: "none", [testLabel]: now.toISOString() },
    annotations: {
      summary: "A test by kraft alert: whoever reads this is told when something is wrong",
      runbook: page,
    },
    startsAt: now.toISOString(),
    endsAt: new Date(now.getTime() + patience * 1000).toISOString(),
  };
  const { status, text } = await host.send("POST", `${alertmanager}/api/v2/alerts`, { body: [alert] });
  if (status !== 200) {
    throw new Failure(`Alertmanager did not take the alert: ${status} ${text}`);
  }
  for (let second = 0; ; second += 1) {
    const after = await attemptsOf(host);
    const outcomes = ways.map((way) => ({ ...way, ...testOutcome(before, after, way.integration) }));
    const isDone = outcomes.every(({ targets, taken }) => taken >= targets.length);
    if (isDone || second >= patience) {
      // Of several targets behind one way Alertmanager counts only how many took it.
      return outcomes.map(({ targets, taken, refused }) => ({
        target: targets.join(" and "),
        taken: taken >= targets.length,
        refused,
      }));
    }
    await sleep(1000);
  }
}

async function attemptsOf(host: ConnectedHost): Promise<ReadonlyMap<string, Attempts>> {
  const { status, text } = await host.send("GET", `${alertmanager}/metrics`);
  if (status !== 200) {
    throw new Failure(
      `Alertmanager does not answer in namespace ${monitoringNamespace}: ${status} ${text.slice(0, 200)}\n` +
        "If kraft:alerts is new, run pulumi up first; otherwise: docs/runbooks/house-dark.md",
    );
  }
  return testAttempts(text);
}
