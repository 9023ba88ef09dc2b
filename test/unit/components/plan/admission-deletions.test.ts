import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { deletionPolicies } from "../../../../components/plan/admission/deletions.ts";
import { bindingSpec, policySpec } from "../../../../components/plan/admission/policy.ts";

const root = new URL("../../../../", import.meta.url);
const withoutClock = deletionPolicies.filter(({ clock }) => clock !== true);
const [dates, ...others] = deletionPolicies.filter(({ clock }) => clock === true);

/** What a policy is asked about, as `DELETE longhorn.io/volumes`. */
function requestsOf(policies: typeof deletionPolicies): string[] {
  const each = policies.flatMap(({ requests }) =>
    requests.flatMap(({ operations, apiGroups, resources }) =>
      operations.flatMap((operation) =>
        apiGroups.flatMap((group) => resources.map((resource) => `${operation} ${group}/${resource}`)),
      ),
    ),
  );
  return [...new Set(each)].sort();
}

test("only the one policy on dates needs a clock, and no controller's deletion fails for want of one", () => {
  assert.ok(dates !== undefined && others.length === 0);
  assert.deepEqual(policySpec(dates).paramKind, { apiVersion: "coordination.k8s.io/v1", kind: "Lease" });
  assert.equal(bindingSpec(dates).paramRef?.parameterNotFoundAction, "Allow");
  for (const policy of withoutClock) {
    assert.equal(policySpec(policy).paramKind, undefined);
    assert.equal(bindingSpec(policy).paramRef, undefined);
    assert.doesNotMatch(JSON.stringify(policy), /params/);
  }
});

test("whatever is refused without a permission has its permission's date looked at", () => {
  assert.ok(dates !== undefined);
  assert.deepEqual(requestsOf([dates]), requestsOf(withoutClock));
  assert.ok(requestsOf([dates]).length >= 20);
});

test("every policy refuses what it cannot evaluate, in whatever version of its API the request comes", () => {
  for (const policy of deletionPolicies) {
    assert.equal(policySpec(policy).failurePolicy, "Fail");
    assert.deepEqual(bindingSpec(policy).validationActions, ["Deny", "Audit"]);
    assert.ok(policy.requests.every(({ apiVersions }) => apiVersions.join() === "*"));
  }
});

test("every refusal says what would be lost, a way that exists, and how it is permitted, on one line", () => {
  for (const { name, rules } of deletionPolicies) {
    for (const { message, messageExpression = "" } of rules) {
      assert.doesNotMatch(message + messageExpression, /\n/, name);
      assert.match(message, /kraft\.dev\/deletion-permitted-on/);
      assert.match(
        messageExpression,
        /kubectl annotate --overwrite .*kraft\.dev\/deletion-permitted-on=\$\(date -u \+%F\)/,
      );
      for (const [page] of message.matchAll(/docs\/[a-z/-]+\.md/g)) {
        assert.ok(existsSync(new URL(page, root)), page);
      }
    }
  }
  for (const { message } of withoutClock.flatMap(({ rules }) => rules)) {
    assert.match(
      message,
      / was not (deleted|changed): .+\. .+\. As a last resort, permit it for two days: annotate it/,
    );
  }
});
