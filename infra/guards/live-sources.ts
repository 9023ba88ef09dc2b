import { connect } from "../../cluster/client.ts";
import { readLiveState } from "../../cluster/live-state.ts";
import { runningVersions } from "../../cluster/running-versions.ts";
import { renewalOf } from "../kubeconfig-renewal.ts";
import type { Model } from "../model.ts";
import type { LiveSources } from "./guard.ts";

/** The real ones: the cluster of the stack file, and its bucket. */
export const liveSources: LiveSources = {
  cluster: async (model) => {
    const host = await connect(addressOf(model));
    const [live, running] = await Promise.all([readLiveState(host), runningVersions(host)]);
    return { live, running, certificateEnd: host.certificateEnd };
  },
  backedUp: async ({ backup, secrets }) => {
    const { readCatalogue } = await import("../catalogue/catalogue.ts");
    // Whether the blocks are there is for the restore to find out: here it only counts what is back.
    return readCatalogue({ ...backup, ...secrets.wasabi }, { blocks: false });
  },
};

function addressOf({ stack, cluster, machines }: Model) {
  return {
    cluster,
    file: `Pulumi.${stack.name}.yaml`,
    // Pulumi runs the program in the folder of its project file.
    directory: ".",
    remedy: renewalOf(stack, machines !== undefined),
  };
}
