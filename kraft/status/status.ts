import { schedulesFound, targetFound, volumesFound } from "./backups.ts";
import type { Observed } from "./observed.ts";
import { certificatesFound, issuerProblems, nodesFound, platformFound } from "./platform.ts";
import type { Expected, Found, Remark, Status } from "./report.ts";
import { tenantsFound } from "./tenants.ts";

/** What is the matter with a cluster, from what it told about itself. */
export function judge(observed: Observed, expected: Expected, now: Date): Status {
  const tenants = tenantsFound(observed, expected, now);
  const names = tenants.map(({ part }) => part.name);
  const nodes = nodesFound(observed, expected.stack);
  const platform = platformFound(observed, expected);
  const target = targetFound(observed);
  const jobs = schedulesFound(observed);
  const volumes = volumesFound(observed, names, now);
  const certificates = certificatesFound(observed, now);
  const problems = [
    ...problemsOf(nodes),
    ...platform.problems,
    ...problemsOf(tenants),
    ...target.problems,
    ...problemsOf(jobs),
    ...problemsOf(volumes),
    ...issuerProblems(observed),
    ...problemsOf(certificates),
    ...expected.versions.map(({ key, found, fix }) => ({ subject: key, message: `${found}: ${fix}` })),
  ];
  return {
    stack: expected.stack.name,
    cluster: { context: expected.context, uid: expected.uid },
    at: now.toISOString(),
    ok: problems.length === 0,
    nodes: partsOf(nodes),
    platform: platform.part,
    tenants: partsOf(tenants),
    backups: { target: target.part, schedules: partsOf(jobs), volumes: partsOf(volumes) },
    certificates: partsOf(certificates),
    problems,
    notes: tenants.flatMap(({ notes }) => notes),
  };
}

function partsOf<Part>(found: readonly Found<Part>[]): Part[] {
  return found.map(({ part }) => part);
}

function problemsOf(found: readonly Found<unknown>[]): Remark[] {
  return found.flatMap(({ problems }) => problems);
}
