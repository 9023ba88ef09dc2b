import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import {
  fixedKeys,
  k3sConfiguration,
  k3sRelease,
  k3sUnit,
  kubeletConfiguration,
  shutdownSeconds,
} from "../../../../../components/plan/machines/k3s.ts";
import { k3sLimits, nodeMinutes, nodeScript } from "../../../../../components/plan/machines/node-script.ts";
import { podBridgeRules } from "../../../../../components/plan/machines/pod-bridges.ts";
import { kernelSettings, packages, systemFiles } from "../../../../../components/plan/machines/system.ts";
import { allocatable } from "../../../../../infra/checks/figures.ts";
import type { K3sMachines } from "../../../../../infra/model.ts";
import { k3sPlan, nodeScripts } from "../../../../../infra/nodes/declare.ts";
import { homelab } from "../../../../../stacks/homelab.ts";
import { homelabMachines, homelabNodes } from "./example.ts";

const scripts = nodeScripts().node;

function script(number: number, changed: Partial<K3sMachines> = {}): string {
  const plan = k3sPlan(homelab, homelabNodes, { ...homelabMachines, ...changed });
  const node = plan.nodes[number - 1] ?? assert.fail();
  return nodeScript(plan, node, scripts);
}

/** A file as a script writes it. */
function written(text: string, path: string): string {
  const start = text.indexOf(`put ${path} `);
  assert.ok(start >= 0, path);
  const body = text.slice(text.indexOf("\n", start) + 1);
  return body.slice(0, body.indexOf("END_OF_FILE"));
}

describe("a node's script", () => {
  test("is the same text for the same plan, and holds no secret", () => {
    assert.equal(script(1), script(1));
    assert.doesNotMatch(script(1), /the-key|the-token/);
  });

  test("differs between nodes in name, address and peers only", () => {
    const different = (number: number) =>
      script(number)
        .replaceAll(`optiplex-${number}`, "<name>")
        .replaceAll(/^readonly PEERS=.*$/gm, "<peers>")
        .replaceAll(`node-ip: 192.168.1.1${number}`, "<address>");
    assert.equal(different(2), different(3));
    assert.equal(different(1), different(3));
    assert.match(script(2), /^readonly PEERS=\(192\.168\.1\.11 192\.168\.1\.13\)$/m);
  });

  test("only the first node may begin a cluster, and only when asked to", () => {
    assert.match(script(1, { clusterInit: true }), /^readonly CLUSTER_INIT=1$/m);
    assert.match(script(2, { clusterInit: true }), /^readonly CLUSTER_INIT=0$/m);
    assert.match(script(1), /^readonly CLUSTER_INIT=0$/m);
  });

  test("runs nothing before all of it has arrived, and nothing in it reads the rest", () => {
    const lines = script(1).trimEnd().split("\n");
    assert.equal(lines.at(-1), "main </dev/null");
  });

  test("no command in it restarts the system, wipes a disk or resets a cluster", () => {
    for (const word of [
      "reboot",
      "mkfs",
      "wipefs",
      "cluster-reset",
      "k3s-uninstall",
      "k3s-killall",
      "poweroff",
      "set -x",
    ]) {
      assert.ok(!script(1).includes(word), word);
    }
  });

  test("another text as the rerun token changes one comment, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string(), (rerunToken) => {
        const [plain, changed] = [script(1).split("\n"), script(1, { rerunToken }).split("\n")];
        assert.deepEqual([...changed.slice(0, 1), ...changed.slice(2)], plain);
        assert.match(changed[1] ?? "", /^# /);
      }),
    );
  });

  test("whatever a name holds, it stays one word of the shell", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\0")),
        (url) => {
          const plan = { ...k3sPlan(homelab, homelabNodes, homelabMachines), releaseUrl: url };
          const [node] = plan.nodes;
          const text = nodeScript(plan, node ?? assert.fail(), []);
          const line = text.slice(text.indexOf("readonly RELEASE_URL="), text.indexOf("declare -rA SHA256"));
          const result = spawnSync("bash", ["-c", `${line}printf %s "$RELEASE_URL"`], { encoding: "utf8" });
          assert.equal(result.stdout, url);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("what follows from the hardware", () => {
  test("a card with the e1000e driver gets its rule and ethtool, another machine neither", () => {
    assert.match(written(script(1), "/etc/udev/rules.d/90-kraft-offload.rules"), /tso off gso off/);
    assert.ok(packages(["e1000e"]).includes("ethtool"));
    assert.ok(!packages([]).includes("ethtool"));
    assert.ok(!systemFiles([]).some(({ group }) => group === "offload"));
  });

  test("Longhorn's folder must be mounted exactly where the stack says that its disk is its own", () => {
    const shared = { ...homelab, storage: { dataPath: "/srv/longhorn", dedicatedDisk: false } };
    const plan = k3sPlan(shared, homelabNodes, homelabMachines);
    const text = nodeScript(plan, plan.nodes[0] ?? assert.fail(), scripts);
    assert.match(text, /^readonly LONGHORN_PATH=\/srv\/longhorn\nreadonly LONGHORN_DEDICATED=0$/m);
    assert.match(script(1), /^readonly LONGHORN_PATH=\/var\/lib\/longhorn\nreadonly LONGHORN_DEDICATED=1$/m);
  });

  test("the kubelet keeps from pods what the check of capacity counts, and runs as many", () => {
    const { systemReserved, kubeReserved, evictionHard, maxPods } = kubeletConfiguration() as {
      systemReserved: Record<string, string>;
      kubeReserved: Record<string, string>;
      evictionHard: Record<string, string>;
      maxPods: number;
    };
    const [node] = homelab.nodes;
    const left = allocatable(node ?? assert.fail(), "k3s");
    const sum = (key: string) => Number.parseInt(systemReserved[key] ?? "") + Number.parseInt(kubeReserved[key] ?? "");
    assert.equal(left.millicpu, 4000 - sum("cpu"));
    const eviction = Number.parseInt(evictionHard["memory.available"] ?? "");
    assert.equal(left.memoryMebibytes, 32 * 1024 - sum("memory") - eviction);
    assert.equal(left.pods, maxPods);
  });

  test("a pod that names no seccomp profile runs under the runtime's", () => {
    assert.equal(kubeletConfiguration()["seccompDefault"], true);
  });

  test("networks and version are the stack's", () => {
    const config = parse(script(1).split("cat <<'END_OF_FILE'\n")[1]?.split("END_OF_FILE")[0] ?? "") as object;
    assert.deepEqual(config, {
      ...config,
      "cluster-cidr": homelab.network.podCidr,
      "service-cidr": homelab.network.serviceCidr,
      "cluster-dns": homelab.network.clusterDns,
      "tls-san": ["api.kraft.example", "192.168.1.11", "192.168.1.12", "192.168.1.13"],
    });
    assert.match(script(1), new RegExp(`^readonly VERSION=v${homelab.kubernetesVersion}\\+k3s1$`, "m"));
    assert.equal(k3sRelease("1.35.6"), "v1.35.6+k3s1");
  });
});

describe("k3s", () => {
  const config = k3sConfiguration({ ...homelab.network, apiNames: [] });

  test("leaves out what Kraft brings, encrypts secrets and the wire, and says nothing twice about snapshots", () => {
    assert.deepEqual(config["disable"], ["traefik", "local-storage"]);
    assert.equal(config["secrets-encryption"], true);
    assert.equal(config["flannel-backend"], "wireguard-native");
    assert.deepEqual(
      Object.keys(config).filter((key) => key.startsWith("etcd-s3")),
      ["etcd-s3", "etcd-s3-config-secret"],
    );
  });

  test("what can never change is guarded", () => {
    for (const key of fixedKeys) {
      assert.ok(key in config, key);
    }
  });

  test("the kernel is set as protect-kernel-defaults demands", () => {
    const demanded = { "vm.panic_on_oom": 0, "vm.overcommit_memory": 1, "kernel.panic": 10, "kernel.panic_on_oops": 1 };
    assert.deepEqual({ ...kernelSettings, ...demanded }, kernelSettings);
  });

  test("what the kernel counts for all of root is no limit that a pod could use up", () => {
    const settings = systemFiles([]).find(({ path }) => path === "/etc/sysctl.d/90-kraft.conf")?.content ?? "";
    for (const key of ["fs.aio-max-nr", "fs.epoll.max_user_watches", "fs.inotify.max_user_instances"]) {
      assert.ok(settings.split("\n").includes(`${key} = 2147483647`), settings);
    }
  });

  test("no IPv6 passes the pods' bridges, and no connection that policies have not judged, from before the first pod on", () => {
    assert.equal(written(script(1), "/etc/rancher/k3s/pod-bridges.nft"), podBridgeRules(homelab.network.clusterDns));
    const service = /\[Service\]([^[]*)/.exec(written(script(1), "/etc/systemd/system/k3s.service"))?.[1];
    assert.match(
      service ?? "",
      /^ExecStartPre=\/usr\/sbin\/nft --file \/etc\/rancher\/k3s\/pod-bridges\.nft\nExecStart=/m,
    );
    assert.ok(packages([]).includes("nftables"));
  });

  test("the API server knows the policies that take raw packets from pods", () => {
    const given = config["kube-apiserver-arg"] as readonly string[];
    assert.ok(given.includes("feature-gates=MutatingAdmissionPolicy=true"));
    assert.ok(
      given.includes(
        "runtime-config=admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true",
      ),
    );
  });

  test("logind waits longer than the kubelet takes", () => {
    const delay = /InhibitDelayMaxSec=(\d+)/.exec(written(script(1), "/etc/systemd/logind.conf.d/zz-kraft.conf"))?.[1];
    assert.ok(Number(delay) > shutdownSeconds.all);
  });

  test("a restart leaves the pods alone", () => {
    assert.match(k3sUnit, /^KillMode=process$/m);
  });

  test("Pulumi waits longer than a node may take", () => {
    const { drainSeconds, healthSeconds, volumeSeconds } = k3sLimits;
    // A download may take 900 s, a start as long as the gate behind it.
    assert.ok(900 + drainSeconds + 2 * healthSeconds + volumeSeconds <= nodeMinutes * 60 + 300);
  });
});
