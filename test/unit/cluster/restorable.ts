import assert from "node:assert/strict";
import type { RestorableVolume } from "../../../cluster/manifests.ts";
import { restorePlan } from "../../../kraft/restore/plan.ts";
import { catalogue, inputs, volume } from "../kraft/restore/samples.ts";

const [, planned = assert.fail("no volume")] = restorePlan(
  catalogue([volume("acme", "datastore"), volume("acme", "data")]),
  inputs,
).order;

/** A volume of acme's, as a restore plan has it. */
export const restorable: RestorableVolume = { ...planned, parameters: {} };
