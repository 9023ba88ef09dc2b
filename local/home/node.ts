import { stringify } from "yaml";
import { sharedMachineLabel } from "../../cluster/live-nodes.ts";
import { podBridgeRules } from "../../components/plan/machines/pod-bridges.ts";
import { processesPerPod } from "../../components/plan/size.ts";
import type { Stack } from "../../stacks/index.ts";
import { importedMarker } from "../images/store.ts";
import { controlPlaneNode, lan, nodeAddress, podCidr, router } from "./addresses.ts";
import { internetNames } from "./internet.ts";
import type { HomeProcess, MachinePlan } from "./plan.ts";

/** What a node's machine follows from. */
export interface NodeInputs {
  readonly stack: Stack;
  readonly name: string;
  readonly cgroup: string;
  /** Paths of programs, by name: kubelet, kube-proxy, kube-router. */
  readonly program: (name: string) => string;
  /** Kubeconfigs for kubelet, kube-proxy and kube-router. */
  readonly kubeconfigs: Readonly<Record<"kubelet" | "proxy" | "admin", string>>;
  /** Authority of the client certificates that the kubelet trusts. */
  readonly clientAuthority: string;
  /** One archive with all images of the platform, and what its content is known by. */
  readonly images: { readonly archive: string; readonly fingerprint: string };
  readonly pauseImage: string;
  readonly logFile: (process: string) => string;
  /** Names of all machines with their addresses, as /etc/hosts has them. */
  readonly hosts: string;
}

/** Where containerd listens. */
export const containerdSocket = "/run/containerd/containerd.sock";

/**
 * containerd 1.6 with runc. Where this process may not lower `oom_score_adj`, runc could start no sandbox
 * (`restrict_oom_score_adj`); where it may, the option changes nothing. Pods without privileges may open ports below 1024
 * and ping, as on k3s (`enable_unprivileged_ports`, `enable_unprivileged_icmp` in its template) and by default since
 * containerd 2.0: the CoreDNS that K3k 1.2.0 gives guests needs it.
 */
function containerdConfiguration(pauseImage: string): string {
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]

[grpc]
  address = "${containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  max_container_log_line_size = 262144
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
`;
}

/**
 * The only registry that there is: the internet's web site, which says of every image that it does not have it. Without a table for the
 * host containerd 1.6 refuses the file.
 */
const registryConfiguration = `server = "http://${internetNames.site}"
[host."http://${internetNames.site}"]
`;

/** Where a node has the rules of its pods' bridge. */
export const podBridgesFile = "/etc/kraft/pod-bridges.nft";

/** Pods on a bridge of their node; other nodes' pods are routed, and nothing between pods is translated (as flannel's host-gw does). */
function networkConfiguration({ stack, name }: NodeInputs): string {
  return JSON.stringify({
    cniVersion: "0.4.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: podCidr(stack, name) }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: "/run/cni-addresses",
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  });
}

function kubeletConfiguration({ stack, cgroup, name, clientAuthority }: NodeInputs): string {
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: clientAuthority },
    },
    authorization: { mode: "Webhook" },
    clusterDNS: [stack.network.clusterDns],
    clusterDomain: "cluster.local",
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}/${name}`,
    // Kubernetes 1.35 refuses version 1 unless it is told otherwise; a machine with version 2 does not care.
    failCgroupV1: false,
    failSwapOn: false,
    podPidsLimit: processesPerPod,
    seccompDefault: true,
    // Three kubelets share one machine: each would evict its pods for what the others fill.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    resolvConf: "/etc/resolv.conf",
    // A guest of three seconds' work must not wait a minute for its Service's endpoints.
    syncFrequency: "10s",
    volumeStatsAggPeriod: "1m",
    nodeStatusReportFrequency: "1m",
  });
}

/** Imports the platform's images where they are not there yet, and then becomes the kubelet. */
function kubeletScript({ images, program }: NodeInputs): string {
  return `#!/bin/sh
set -eu
marker=/var/lib/containerd/${importedMarker}
until ctr version >/dev/null 2>&1; do sleep 0.2; done
if [ "$(cat "$marker" 2>/dev/null)" != "${images.fingerprint}" ]; then
  ctr -n k8s.io images import --digests "${images.archive}"
  echo "${images.fingerprint}" >"$marker"
fi
exec ${program("kubelet")} "$@"
`;
}

/** A node of the stack: containerd, kubelet, kube-proxy, and the firewall of kube-router, which is what k3s has built in. */
export function nodeMachine(inputs: NodeInputs, more: readonly HomeProcess[] = []): MachinePlan {
  const { stack, name, program, kubeconfigs, logFile } = inputs;
  const address = nodeAddress(stack, name);
  const others = stack.nodes.filter((node) => node.name !== name);
  const process = (key: string, ...command: readonly string[]): HomeProcess => ({
    name: key,
    command,
    logFile: logFile(`${name}-${key}`),
  });
  return {
    name,
    links: [{ network: lan.name, device: "eth0", address: `${address}/${lan.prefix}` }],
    sysctls: {
      "net.ipv4.ip_forward": "1",
      "net.bridge.bridge-nf-call-iptables": "1",
      "net.ipv4.conf.all.rp_filter": "0",
    },
    files: [
      { path: "/etc/hosts", text: inputs.hosts, mode: 0o644 },
      { path: "/etc/resolv.conf", text: `nameserver ${router.address}\n`, mode: 0o644 },
      { path: "/etc/containerd/config.toml", text: containerdConfiguration(inputs.pauseImage), mode: 0o644 },
      { path: "/etc/containerd/certs.d/_default/hosts.toml", text: registryConfiguration, mode: 0o644 },
      { path: "/etc/cni/net.d/10-pods.conflist", text: networkConfiguration(inputs), mode: 0o644 },
      { path: "/etc/kubernetes/kubelet.yaml", text: kubeletConfiguration(inputs), mode: 0o644 },
      { path: podBridgesFile, text: podBridgeRules(stack.network.clusterDns), mode: 0o644 },
      { path: "/usr/local/sbin/start-kubelet", text: kubeletScript(inputs), mode: 0o755 },
    ],
    commands: [
      ["nft", "--file", podBridgesFile],
      ["ip", "route", "add", "default", "via", router.address],
      ...others.map((other) => [
        "ip",
        "route",
        "add",
        podCidr(stack, other.name),
        "via",
        nodeAddress(stack, other.name),
      ]),
      // Pods leave the cluster under their node's address.
      [
        "iptables",
        ...["-t", "nat", "-A", "POSTROUTING", "-s", stack.network.podCidr, "!", "-d", stack.network.podCidr],
        ...["-j", "MASQUERADE"],
      ],
    ],
    processes: [
      process("containerd", "containerd", "--config", "/etc/containerd/config.toml"),
      process(
        "kubelet",
        "/usr/local/sbin/start-kubelet",
        "--config=/etc/kubernetes/kubelet.yaml",
        `--kubeconfig=${kubeconfigs.kubelet}`,
        `--hostname-override=${name}`,
        `--node-ip=${address}`,
        "--root-dir=/var/lib/kubelet",
      ),
      process(
        "kube-proxy",
        program("kube-proxy"),
        "--proxy-mode=nftables",
        `--kubeconfig=${kubeconfigs.proxy}`,
        `--hostname-override=${name}`,
        `--cluster-cidr=${stack.network.podCidr}`,
        // Outside of the first network namespace these cannot be set, and it would end.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
      ),
      process(
        "kube-router",
        program("kube-router"),
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        // Its router and its proxy have known faults; only the firewall is run, and it serves nothing.
        "--metrics-port=0",
        "--health-port=0",
        `--kubeconfig=${kubeconfigs.admin}`,
        `--hostname-override=${name}`,
        `--service-cluster-ip-range=${stack.network.serviceCidr}`,
      ),
      ...more,
    ],
  };
}

/** The Node object of a machine, made before its kubelet registers, so that its pods' addresses are the ones of the plan. */
export function nodeObject(stack: Stack, name: string) {
  const node = stack.nodes.find((candidate) => candidate.name === name);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        ...(name === controlPlaneNode(stack).name && { "node-role.kubernetes.io/control-plane": "true" }),
        [sharedMachineLabel]: "true",
      },
      annotations: { "kraft.dev/model": node?.model ?? "" },
    },
    spec: { podCIDR: podCidr(stack, name), podCIDRs: [podCidr(stack, name)] },
  };
}
