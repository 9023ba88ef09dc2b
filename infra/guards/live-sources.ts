import { connect } from "../../cluster/client.ts";
import { readLiveState } from "../../cluster/live-state.ts";
import { runningVersions } from "../../cluster/running-versions.ts";
import { renewalOf } from "../kubeconfig-renewal.ts";
import type { LiveSources } from "./guard.ts";

/** The cluster that the stack file names, and its bucket. */
export const liveSources: LiveSources = {
  cluster: async (model) => {
    const { stack, cluster, machines } = model;
    const host = await connect({
      cluster,
      file: `Pulumi.${stack.name}.yaml`,
      // Pulumi runs the program in the folder of its project file.
      directory: ".",
      remedy: renewalOf(stack, machines !== undefined),
    });
    const [live, running] = await Promise.all([readLiveState(host), runningVersions(host)]);
    return { live, running, certificateEnd: host.certificateEnd };
  },
  backedUp: async ({ backup, secrets }) => {
    const { readCatalogue } = await import("../catalogue/catalogue.ts");
    // The restore checks the blocks; here only the list of volumes counts.
    return readCatalogue({ ...backup, ...secrets.wasabi }, { blocks: false });
  },
};
