import { modelOf } from "../../infra/config/stack-file.ts";
import { stackFileOf } from "../cli/choice.ts";
import type { Run } from "../cli/verb.ts";
import { welcomeFacts } from "./facts.ts";
import { welcomeSheet } from "./sheet.ts";

export const run: Run<{ readonly tenant: string }> = (given) => {
  const facts = welcomeFacts(modelOf(stackFileOf(given, given.tenant)), given.tenant);
  const sheet = welcomeSheet(facts);
  return { json: { ...facts, sheet }, text: sheet };
};
