import { isWrittenByControllers } from "../../infra/drift/added-fields.ts";
import { isolatingKinds } from "../../infra/drift/isolating-kinds.ts";
import { apiGroupOf, type Change } from "./change.ts";

/** What was changed in the cluster without the program, by how much it matters. */
export interface Drift {
  /** Tenant isolation or tenants' data: somebody has to look at once. */
  readonly security: readonly Change[];
  /** The next `pulumi up` reverts it. */
  readonly other: readonly Change[];
  /** Controllers write it in normal operation. */
  readonly harmless: readonly Change[];
}

/** A namespace's labels select policies and Pod Security; the annotation says which domains belong to whom. */
const isolatingNamespaceField = /^metadata\.(labels($|[.[])|annotations($|\["kraft\.dev\/))/;

/** Sorts the changes that a preview of a refresh found. */
export function driftOf(changes: readonly Change[]): Drift {
  const { security = [], other = [], harmless = [] } = Object.groupBy(changes, severityOf);
  return { security, other, harmless };
}

/** Whether somebody changed by hand what keeps tenants apart, or their data: of that a person has to know at once. */
export function isSevere(change: Change): boolean {
  return change.byHand !== undefined && severityOf(change) === "security";
}

function severityOf(change: Change): keyof Drift {
  const { kind, operation, fields, loss } = change;
  const written = fields.filter(({ path }) => !isWrittenByControllers(path));
  if (operation === "update" && fields.length > 0 && written.length === 0) {
    return "harmless";
  }
  const group = apiGroupOf(change);
  const isIsolatingNamespace =
    group === "" &&
    kind === "Namespace" &&
    (operation !== "update" || written.some(({ path }) => isolatingNamespaceField.test(path)));
  return loss !== undefined ||
    isolatingKinds.some((isolating) => isolating.kind === kind && apiGroupOf(isolating) === group) ||
    isIsolatingNamespace
    ? "security"
    : "other";
}
