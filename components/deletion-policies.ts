import * as pulumi from "@pulumi/pulumi";
import { declarePolicy } from "./admission-policy.ts";
import { deletionPolicies } from "./plan/admission/deletions.ts";

/**
 * Lets the host's API server refuse, whoever asks, to delete what holds tenants' data and what that data depends on, unless
 * the object carries a permission of today.
 *
 * It needs nothing but the API server, and nothing waits for it: the kinds that it names need not exist yet. It cannot guard
 * itself, since admission policies are never asked about admission policies.
 *
 * @example
 * new DeletionPolicies("deletions", { providers: [host.provider] });
 */
export class DeletionPolicies extends pulumi.ComponentResource {
  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("kraft:index:DeletionPolicies", name, {}, opts);
    for (const policy of deletionPolicies) {
      declarePolicy(`${name}-${policy.name.replace(/^kraft-deletions?-(of-)?/, "")}`, policy, { parent: this });
    }
    this.registerOutputs({});
  }
}
