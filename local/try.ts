import { stacks } from "../stacks/index.ts";
import { machinePackages } from "./home/debian-packages.ts";
import { startHostCluster } from "./host-cluster.ts";
import { terminalReporter } from "./terminal.ts";
import { debianRoot } from "./toolchain/debian.ts";
import { readyTools, realModules } from "./toolchain/ready.ts";
const reporter = terminalReporter();
const tools = new Map(await readyTools(reporter, realModules));
if (!tools.has("kube-router"))
  tools.set("kube-router", { name: "kube-router", version: "0", path: "/tmp/try/bin/kube-router", from: "built" });
const root = await debianRoot({ packages: machinePackages, purpose: "machines" });
const t = Date.now();
const cluster = await startHostCluster({
  stack: stacks.get("local")!,
  directory: "/tmp/try/local",
  tools,
  reporter,
  home: {
    root,
    images: { archive: process.argv[2] ?? "/tmp/try/bin/empty.tar", fingerprint: process.argv[3] ?? "x" },
    pauseImage: "registry.k8s.io/pause:3.9",
  },
});
console.log(cluster.kubeconfig, (Date.now() - t) / 1000);
cluster.api.close();
