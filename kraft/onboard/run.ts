import type { ConnectedHost } from "../../cluster/client.ts";
import { UsageError } from "../../errors/failure.ts";
import { modelOf, type StackFile } from "../../infra/config/stack-file.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { refuseInRepository } from "../kubeconfig/file.ts";
import { daysOf } from "../kubeconfig/guest.ts";
import {
  k3kKubeconfigOf,
  newKubeconfig,
  noteHandedOut,
  readWritten,
  type TenantKubeconfig,
  type Wanted,
} from "../kubeconfig/handed-out.ts";
import { validityText } from "../kubeconfig/rewrite.ts";
import { welcomeFacts } from "../welcome/facts.ts";
import { tenantFiles } from "../welcome/files.ts";
import { liveFacts } from "../welcome/live.ts";
import { sampleHost, sampleYaml } from "../welcome/sample.ts";
import { welcomeSheet } from "../welcome/sheet.ts";
import { type Bundle, readBundle, writeBundle } from "./bundle.ts";

interface Given {
  readonly tenant: string;
  readonly out?: string;
  readonly days?: string;
  readonly via?: string;
  readonly renew?: true;
}

export const run: Run<Given> = async (given, output) => {
  const { tenant, out: folder, via, renew = false } = given;
  if (folder === undefined) {
    throw new UsageError("no folder is given\n  allowed: --out <folder>");
  }
  const days = given.days === undefined ? undefined : daysOf(given.days);
  if (via !== undefined && days === undefined) {
    throw new UsageError("--via is where the guest is asked\n  allowed: together with --days");
  }
  const file = stackFileOf(given, tenant);
  const model = modelOf(file);
  refuseInRepository(folder, file.directory, "a kubeconfig");
  const bundle = readBundle(folder, tenant);
  const host = await reach(file, output);
  const wanted = { days, via };
  const kept = renew ? undefined : await keptKubeconfig(host, file, bundle, wanted);
  const kubeconfig = kept ?? (await newKubeconfig(host, file, tenant, wanted, output));
  const now = new Date();
  const live = await output.during(`reading the cluster ${host.context}`, liveFacts(host, tenant, now));
  const facts = welcomeFacts(model, tenant, { ...live, kubeconfigEndsAt: kubeconfig.expires?.toISOString() ?? null });
  const written = writeBundle(bundle, {
    [tenantFiles.sheet]: welcomeSheet(facts),
    [tenantFiles.kubeconfig]: kubeconfig.text,
    [tenantFiles.sample]: sampleYaml(facts),
  });
  if (kept === undefined) {
    await noteHandedOut(host, tenant, kubeconfig, output);
  }
  const files = Object.values(tenantFiles).map((name) => ({ file: name, written: written.includes(name) }));
  return {
    json: {
      stack: file.stack.name,
      tenant,
      folder,
      server: kubeconfig.server,
      expires: kubeconfig.expires?.toISOString() ?? null,
      files,
    },
    text: [
      `In ${folder} for ${tenant}:`,
      ...files.map(({ file: name, written: isNew }) => `  ${name}${isNew ? "" : ", as it was"}`),
      `The kubeconfig ${validityText(kubeconfig.expires, now)}.`,
      `The sample answers at https://${sampleHost(facts)} once that is a CNAME for ${facts.entrypoint}.`,
      `Hand the folder over in private: whoever has ${tenantFiles.kubeconfig} is administrator of the guest.`,
    ],
  };
};

/** Days that a kubeconfig without `--days` counts as, for when it is due for a new one: a month before its end. */
const usualDays = 90;

/**
 * The kubeconfig of an earlier run, as long as it is of the kind that is wanted now, opens this guest, and has a third of its
 * time left: the tenant uses it already. Undefined where a new one is due.
 */
async function keptKubeconfig(
  host: ConnectedHost,
  file: StackFile,
  { present, tenant }: Bundle,
  { days }: Wanted,
): Promise<TenantKubeconfig | undefined> {
  const text = present.get(tenantFiles.kubeconfig);
  const written = text === undefined ? undefined : readWritten(text);
  if (text === undefined || written?.expires === undefined || written.revocable !== (days !== undefined)) {
    return undefined;
  }
  const current = await k3kKubeconfigOf(host, file, tenant);
  const left = written.expires.getTime() - Date.now();
  return written.server === current.server &&
    written.authority === readWritten(current.text)?.authority &&
    left > ((days ?? usualDays) * 86_400_000) / 3
    ? { ...written, text, server: current.server }
    : undefined;
}
