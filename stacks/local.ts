import { homelab } from "./homelab.ts";
import type { Stack } from "./stack.ts";

/**
 * The embedded host cluster for trying and testing: the homelab, on machines in namespaces or on simulated nodes. K3k is
 * 1.1.0, the only version whose controller can be built from its Go module.
 */
export const local: Stack = {
  ...homelab,
  name: "local",
  description: "an embedded cluster in place of three OptiPlex Micros",
  distribution: "embedded",
  kubernetesVersion: "1.35.4",
  guestVersion: "v1.35.4-k3s1",
  k3kVersion: "1.1.0",
};
