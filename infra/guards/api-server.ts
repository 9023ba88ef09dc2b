import type { Host } from "../../cluster/client.ts";
import { apiServerArguments, mutatingPolicyApi } from "../../components/plan/machines/api-server.ts";
import { listIf, type Problem } from "../../errors/problem.ts";

const plural = "mutatingadmissionpolicies";

/** Whether an API server knows the policies that take raw packets from tenants' pods. */
export async function knowsMutatingPolicies(host: Pick<Host, "get">): Promise<boolean> {
  const api = await host.get<{ readonly resources?: readonly { readonly name: string }[] }>(
    `/apis/${mutatingPolicyApi}`,
  );
  return api?.resources?.some(({ name }) => name === plural) ?? false;
}

/**
 * An API server that does not know them. One that Kraft sets up itself is told in the same run, before anything needs it.
 *
 * @param known Undefined where there is no cluster to look at.
 */
export function apiServerProblems(known: boolean | undefined, managed: boolean): Problem[] {
  return listIf(known === false && !managed, {
    key: "kraft:cluster",
    found: "an API server without MutatingAdmissionPolicies",
    allowed: `Kubernetes 1.34 or later with --${apiServerArguments().join(" --")}`,
    fix:
      "add both, on k3s to kube-apiserver-arg in the configuration of every server, and restart it: without them no pod of a " +
      "tenant is accepted, since each could write packets under another's address, past all network policies",
  });
}
