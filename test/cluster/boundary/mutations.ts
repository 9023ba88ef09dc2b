import assert from "node:assert/strict";
import type { MutatingPolicy } from "../../../components/plan/admission/policy.ts";
import { mutatingPolicyApi } from "../../../components/plan/machines/api-server.ts";
import type { Api } from "../../../local/api.ts";
import { eventually } from "../embedded.ts";
import type { KubernetesObject } from "./translate.ts";

/** What the API server refuses a new object with; undefined where it accepts it. Nothing is made. */
export async function refusalOf(client: Api, collection: string, object: object): Promise<string | undefined> {
  const { status, message } = await client.answer("POST", collection, object);
  return status === 201 ? undefined : message;
}

/**
 * Takes a mutating policy out of force, and puts it back.
 *
 * @param refusal What a request is refused with that needs the policy; undefined where it is accepted.
 * @param action Runs once that request is refused.
 */
export async function whileUnbound(
  operator: Api,
  { name }: MutatingPolicy,
  refusal: () => Promise<string | undefined>,
  action: (refused: string) => Promise<void>,
): Promise<void> {
  const path = `/apis/${mutatingPolicyApi}/mutatingadmissionpolicybindings/${name}`;
  const binding = (await operator.get<KubernetesObject>(path)) ?? assert.fail("no binding");
  await operator.delete(path);
  try {
    await action(await eventually("a refusal", refusal));
  } finally {
    const { labels, annotations } = binding.metadata;
    await operator.apply(path, { ...binding, metadata: { name, labels, annotations } });
    await eventually("the policy", async () => ((await refusal()) === undefined ? true : undefined));
  }
}
