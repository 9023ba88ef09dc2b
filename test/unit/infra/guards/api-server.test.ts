import assert from "node:assert/strict";
import { test } from "node:test";
import { apiServerProblems, knowsMutatingPolicies } from "../../../../infra/guards/api-server.ts";

test("an API server that the operator sets up has to know MutatingAdmissionPolicies", () => {
  assert.deepEqual(apiServerProblems(true, false), []);
  // A run that only renders has no cluster.
  assert.deepEqual(apiServerProblems(undefined, false), []);
  const [problem, ...others] = apiServerProblems(false, false);
  assert.deepEqual(others, []);
  assert.equal(problem?.key, "kraft:cluster");
  assert.equal(
    problem.allowed,
    "Kubernetes 1.34 or later with --feature-gates=MutatingAdmissionPolicy=true --runtime-config=admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true",
  );
  assert.match(problem.fix, /without them no pod of a tenant is accepted/);
});

test("one that the same run sets up may learn of them in it", () => {
  assert.deepEqual(apiServerProblems(false, true), []);
});

test("what an API server says of itself", async () => {
  const known = (answer: object | undefined): Promise<boolean> =>
    knowsMutatingPolicies({ get: () => Promise.resolve(answer as never) });
  assert.equal(await known({ resources: [{ name: "mutatingadmissionpolicies" }] }), true);
  // The group's version is there for another kind, and the feature is off.
  assert.equal(await known({ resources: [{ name: "validatingadmissionpolicies" }] }), false);
  assert.equal(await known(undefined), false);
});
