import { modelOf, withClusterToCome } from "../../infra/config/stack-file.ts";
import { stackFileOf } from "../cli/choice.ts";
import { reach } from "../cli/host.ts";
import type { Run } from "../cli/verb.ts";
import { welcomeFacts } from "./facts.ts";
import { liveFacts } from "./live.ts";
import { welcomeSheet } from "./sheet.ts";

export const run: Run<{ readonly tenant: string; readonly live?: true }> = async (given, output) => {
  const { tenant } = given;
  const file = stackFileOf(given, tenant);
  // Nothing on the sheet depends on which cluster it will be.
  const model = modelOf(withClusterToCome(file));
  const live = given.live === true ? await liveFacts(await reach(file, output), tenant, new Date()) : null;
  const facts = welcomeFacts(model, tenant, live);
  const sheet = welcomeSheet(facts);
  return { json: { ...facts, sheet }, text: sheet };
};
