import { listIf, type Problem, show } from "../../../errors/problem.ts";
import type { Config } from "../schema.ts";
import { ancestors } from "./domains.ts";
import { missingSecret, unusedSecret } from "./secrets.ts";

/** The ways by which a person is told. */
const targets = ["ntfy", "email", "webhook"] as const;

/** Somebody is told, by a server that does not go dark with the house, and no secret is kept for nothing. */
export function alertProblems(config: Partial<Config>, known: readonly Problem[]): Problem[] {
  // What is wrong by itself is reported already.
  if (known.some(({ key }) => key === "kraft:alerts" || key.startsWith("kraft:alerts."))) {
    return [];
  }
  const { alerts, dashboards } = config;
  const used = (name: "alertNtfyToken" | "alertEmailPassword" | "alertWebhookToken", by: unknown, key: string) =>
    by === undefined ? unusedSecret(name, config, `kraft:${name} only beside ${key}`) : [];
  return [
    ...listIf(alerts !== undefined && targets.every((name) => alerts[name] === undefined), {
      key: "kraft:alerts",
      found: show(alerts),
      allowed: `at least one of ${targets.join(", ")}: a heartbeat alone tells nobody what is wrong`,
      fix: "for example `ntfy: https://ntfy.sh/<a long random topic>`",
    }),
    ...listIf(alerts === undefined && dashboards !== undefined, {
      key: "kraft:dashboards",
      found: `${show(dashboards)} without kraft:alerts`,
      allowed: "only beside kraft:alerts: without it nothing is watched, and there is nothing to show",
      fix: "set kraft:alerts, see docs/monitoring.md, or: pulumi config rm kraft:dashboards",
    }),
    ...(["ntfy", "webhook", "heartbeat"] as const).flatMap((name) => inTheHouse(name, alerts?.[name], config)),
    ...(alerts?.email?.user === undefined
      ? []
      : missingSecret(
          "alertEmailPassword",
          config,
          known,
          `the password of ${alerts.email.user} at ${alerts.email.server}`,
        )),
    ...used("alertNtfyToken", alerts?.ntfy, "kraft:alerts.ntfy"),
    ...used("alertEmailPassword", alerts?.email?.user, "kraft:alerts.email.user"),
    ...used("alertWebhookToken", alerts?.webhook, "kraft:alerts.webhook"),
  ];
}

/** A name that leads to the house itself says nothing when the house is dark. */
function inTheHouse(name: string, url: string | undefined, { domain, tenants = {} }: Partial<Config>): Problem[] {
  if (url === undefined) {
    return [];
  }
  const { hostname } = new URL(url);
  const own = [
    ...(domain === undefined ? [] : [domain]),
    ...Object.values(tenants).flatMap((tenant) => tenant.domains),
  ];
  const around = ancestors(hostname);
  const within = own.find((each) => around.includes(each));
  return listIf(within !== undefined, {
    key: `kraft:alerts.${name}`,
    found: `${show(url)}, which is in this house: ${within}`,
    allowed: "a server outside of it, which is there when the house is dark",
    fix: "take a service on the internet, for example ntfy.sh or healthchecks.io",
  });
}
