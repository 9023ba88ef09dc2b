import { isNew, quoted } from "./expressions.ts";
import { type MutatingPolicy, requestsFor, type Rule } from "./policy.ts";

/**
 * A pod that names no seccomp profile runs under none, unless the kubelet of its node says otherwise (`seccompDefault`). On machines
 * that Kraft does not set up, nobody sees whether it does. So every pod in a tenant's namespace gets the runtime's.
 */
const profile = "RuntimeDefault";

/** The name of the policy that adds it. */
const policyName = "kraft-tenant-seccomp";

const context = "object.spec.securityContext";

/** True, in CEL, if a pod names a profile for all of its containers. */
const isNamed = `(has(${context}) && has(${context}.seccompProfile))`;

const added = `Object.spec.securityContext.seccompProfile{type: ${quoted(profile)}}`;

/** Adds the profile to every pod that is made in a tenant's namespace, whoever makes it. */
export const seccompPolicy: MutatingPolicy = {
  name: policyName,
  scope: "tenants",
  requests: [requestsFor("v1", ["pods"], ["CREATE"])],
  patches: [
    `${isNamed} ? [] : has(${context}) ? ` +
      `[JSONPatch{op: 'add', path: '/spec/securityContext/seccompProfile', value: ${added}}] : ` +
      `[JSONPatch{op: 'add', path: '/spec/securityContext', value: Object.spec.securityContext{seccompProfile: ${added}}}]`,
  ],
};

/** Refuses what came past that policy: a cluster without it runs no pod of a tenant, rather than one that may be under no profile. */
export const seccompRule: Rule = {
  expression: `!(${isNew}) || ${isNamed}`,
  message: `every pod of a tenant runs under the seccomp profile ${profile}, which the host's MutatingAdmissionPolicy ${policyName} adds: it is missing or changed, run pulumi up`,
};
