import { everyContainer, isNew, quoted, valueOr } from "./expressions.ts";
import { type MutatingPolicy, requestsFor, type Rule } from "./policy.ts";

/**
 * containerd gives every container the capability NET_RAW, and Pod Security `baseline` leaves it there. With it a pod writes
 * packets under an address that is no pod's, which no NetworkPolicy names and none stops, or under that of Traefik, and reads
 * what its neighbours on the bridge are sent. So it is taken from every pod in a tenant's namespace.
 */
const capability = "NET_RAW";

/** The name of the policy that takes it away. */
const policyName = "kraft-tenant-raw-packets";

/** True, in CEL, if the container `c` gives the capability up itself. */
const isDropped =
  "has(c.securityContext) && has(c.securityContext.capabilities) && has(c.securityContext.capabilities.drop) && " +
  `c.securityContext.capabilities.drop.exists(d, d in ['ALL', ${quoted(capability)}])`;

/** A field of the capabilities of the container `c`, in CEL. */
function capabilitiesOf(field: "add" | "drop"): string {
  const of = "c.securityContext.capabilities";
  return `(has(${of}) && has(${of}.${field}) ? ${of}.${field} : [])`;
}

/**
 * Adds the capability to what the containers of one list drop.
 *
 * @param among Which of them, in CEL.
 */
function dropIn(field: "containers" | "ephemeralContainers" | "initContainers", among: string): string {
  const all = `object.spec.${field}`;
  const path = `'/spec/${field}/' + string(${all}.indexOf(c)) + '/securityContext`;
  const drop = quoted(capability);
  const context = `Object.spec.${field}.securityContext`;
  return (
    `(${valueOr(all, "[]")}).filter(c, (${among}) && !(${isDropped})).map(c, has(c.securityContext) ? ` +
    `JSONPatch{op: 'add', path: ${path}/capabilities', value: ${context}.capabilities{add: ${capabilitiesOf("add")}, drop: ${capabilitiesOf("drop")} + [${drop}]}} : ` +
    `JSONPatch{op: 'add', path: ${path}', value: ${context}{capabilities: ${context}.capabilities{drop: [${drop}]}}})`
  );
}

const former = valueOr("oldObject.spec.ephemeralContainers", "[]");

/** Takes the capability from every container that is made in a tenant's namespace, whoever makes it. */
export const rawPacketsPolicy: MutatingPolicy = {
  name: policyName,
  scope: "tenants",
  requests: [requestsFor("v1", ["pods"], ["CREATE"]), requestsFor("v1", ["pods/ephemeralcontainers"], ["UPDATE"])],
  patches: [
    dropIn("containers", isNew),
    dropIn("initContainers", isNew),
    // What a pod has cannot be changed any more.
    dropIn("ephemeralContainers", `!(${former}).exists(f, f.name == c.name)`),
  ],
};

/** Refuses what came past that policy: a cluster without it runs no pod of a tenant, rather than one with raw packets. */
export const rawPacketsRule: Rule = {
  expression: `!(${isNew} || request.subResource == 'ephemeralcontainers') || (${everyContainer(isDropped)})`,
  message: `every container of a tenant drops the capability ${capability}, which the host's MutatingAdmissionPolicy ${policyName} adds: it is missing or changed, run pulumi up`,
};
