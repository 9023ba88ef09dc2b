import { sourceReaderPolicy } from "../../components/plan/backup-store.ts";
import { modelOf, type StackFile } from "../../infra/config/stack-file.ts";
import { nameServers } from "../check/ask.ts";
import { askDns } from "../check/dns.ts";
import { stackFileOf } from "../cli/choice.ts";
import { hostOf } from "../cli/host.ts";
import { minutesOf } from "../cli/time-limit.ts";
import type { Run } from "../cli/verb.ts";
import { inputsOf } from "../restore/inputs.ts";
import { readMoveCluster } from "./clusters.ts";
import { movingFile, sourceFile, sourceIn, sourceStore } from "./files.ts";
import { back, copy, cutover } from "./phases.ts";
import { doneChecks, progressOf } from "./progress.ts";
import { checksText, progressText, reportText } from "./text.ts";

interface Given {
  readonly tenant: string;
  readonly phase?: "copy" | "cutover" | "done" | "back";
  readonly resolver?: string;
  readonly timeout?: string;
  readonly keyPolicy?: true;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant, phase } = given;
  const backupLimit = minutesOf("--timeout", given.timeout, 720);
  if (given.keyPolicy === true) {
    // The key comes before the tenant's entry: docs/moving.md.
    const { bucket, prefix } = sourceIn(given.stack === undefined ? movingFile(tenant, given) : stackFileOf(given));
    const policy = sourceReaderPolicy(bucket, prefix);
    return { json: policy, text: JSON.stringify(policy, undefined, 2) };
  }
  const target = movingFile(tenant, given);
  const source = sourceFile(target, tenant);
  const clusterOf = async (file: StackFile) => readMoveCluster(file.stack.name, await hostOf(file), tenant);
  const look = async () => {
    const both = Promise.all([clusterOf(source), clusterOf(target)]);
    const [left, right] = await output.during("asking both clusters", both);
    return { tenant, source: left, target: right };
  };
  const move = await look();
  const named = { tenant, from: source.stack.name, to: target.stack.name };
  const now = new Date();

  switch (phase) {
    case undefined: {
      const found = progressOf(move);
      return {
        json: { ...named, at: now.toISOString(), ...found },
        text: progressText(named, found, now, output.style),
      };
    }
    case "done": {
      const servers = nameServers(given.resolver);
      const asked = askDns(modelOf(target), servers, (name) => name.tenant === null || name.tenant === tenant);
      const names = await output.during(`asking ${servers.servers.join(", ")} for DNS names`, asked);
      const ofTenant = names.filter((name) => name.tenant === tenant);
      const checks = doneChecks(move, ofTenant);
      const ok = checks.every((check) => check.ok === true);
      const next = [
        `state: archived for ${tenant} in Pulumi.${named.from}.yaml, later purged: docs/offboarding.md`,
        `\`from: ${named.from}\` stays in ${target.name}: the guest's token is derived from it`,
      ];
      return {
        json: { ...named, at: now.toISOString(), ok, checks },
        text: checksText(named, checks, next, output.style),
        ok,
      };
    }
    case "back": {
      const report = await back({ move });
      return { json: { ...report, next: [] }, text: reportText(report, [], output.style), ok: report.ok };
    }
    case "copy":
    case "cutover": {
      const report = await (phase === "copy" ? copy : cutover)({
        move,
        store: await sourceStore(target, process.env),
        inputs: { ...inputsOf(target), tenant },
        backupLimit,
        note: output.note,
      });
      const next = report.ok ? progressOf(await look()).next : [];
      return { json: { ...report, next }, text: reportText(report, next, output.style), ok: report.ok };
    }
  }
};
