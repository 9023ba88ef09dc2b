import assert from "node:assert/strict";
import { describe, test } from "node:test";
import ipaddr from "ipaddr.js";
import { parse } from "yaml";
import {
  internet,
  lan,
  nas,
  nodeAddress,
  podCidr,
  provider,
  router,
  visitor,
} from "../../../../local/home/addresses.ts";
import { homePlan, type LayoutInputs } from "../../../../local/home/layout.ts";
import { nodeObject } from "../../../../local/home/node.ts";
import type { HomePlan, MachinePlan } from "../../../../local/home/plan.ts";
import type { ReadyTool } from "../../../../local/toolchain/ready.ts";
import { toolModules } from "../../../../local/toolchain/tools.ts";
import { stack } from "../../infra/checks/example.ts";

const directory = "/example/cluster";
const tools = new Map(
  toolModules.flatMap(({ name: module, tools: programs }) =>
    programs.map(({ name, version }): [string, ReadyTool] => [
      name,
      { name, version, path: `/cache/${module}/bin/${name}`, from: "built" },
    ]),
  ),
);

function plan(name: string): HomePlan {
  const inputs: LayoutInputs = {
    stack: stack(name),
    directory,
    tools,
    root: "/cache/debian",
    images: { archive: "/cache/images/1/images.tar", fingerprint: "1" },
    pauseImage: "registry.k8s.io/pause:1",
    ports: { apiServer: 16_443, web: 16_080, websecure: 16_444 },
    cgroup: "kraft-1",
    owner: "1000:1000",
    credentials: {
      token: "",
      tokenFile: `${directory}/credentials/machines.csv`,
      serviceAccountPrivateKey: `${directory}/credentials/key`,
      serviceAccountPublicKey: `${directory}/credentials/pub`,
    },
    kubeconfigs: {
      admin: `${directory}/credentials/admin.kubeconfig`,
      proxy: `${directory}/credentials/proxy.kubeconfig`,
      kubelets: new Map(
        stack(name).nodes.map((node) => [node.name, `${directory}/credentials/${node.name}.kubeconfig`]),
      ),
    },
  };
  return homePlan(inputs);
}

function machine({ machines }: HomePlan, name: string): MachinePlan {
  return machines.find((candidate) => candidate.name === name) ?? assert.fail(`no machine ${name}`);
}

function text({ files = [] }: MachinePlan, path: string): string {
  return files.find((file) => file.path === path)?.text ?? assert.fail(`no file ${path}`);
}

const names = ({ processes = [] }: Pick<MachinePlan, "processes">) => processes.map(({ name }) => name);

for (const [name, nodes] of [
  ["local", ["optiplex-1", "optiplex-2", "optiplex-3"]],
  ["homelab", ["optiplex-1", "optiplex-2", "optiplex-3"]],
  ["proliant", ["proliant-1"]],
] as const) {
  describe(`the home of ${name}`, () => {
    const home = plan(name);

    test("has a router, network storage, an internet, and a machine a node", () => {
      assert.deepEqual(
        home.machines.map((one) => one.name),
        [router.name, nas.name, provider.name, visitor.name, ...nodes],
      );
    });

    test("runs a kubelet and what it needs on every node, and the control plane on the first", () => {
      const node = ["containerd", "kubelet", "kube-proxy", "kube-router", "volumes"];
      const controlPlane = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
      for (const [index, one] of nodes.entries()) {
        assert.deepEqual(names(machine(home, one)), index === 0 ? [...node, ...controlPlane] : node);
      }
    });

    test("has addresses of its two networks, each once, and only the router is on both", () => {
      const links = home.machines.flatMap((one) => one.links.map((link) => ({ machine: one.name, ...link })));
      const addresses = links.map(({ address }) => address);
      assert.deepEqual(addresses, [...new Set(addresses)]);
      for (const { network, address } of links) {
        const range = ipaddr.parseCIDR(network === lan.name ? lan.cidr : internet.cidr);
        assert.ok(ipaddr.parse(address.split("/")[0] ?? "").match(range), `${address} on ${network}`);
      }
      assert.deepEqual(
        home.machines.filter((one) => one.links.length > 1).map((one) => one.name),
        [router.name],
      );
      const inside = home.machines.filter((one) => one.links.some(({ network }) => network === lan.name));
      assert.deepEqual(
        inside.map((one) => one.name),
        [router.name, nas.name, ...nodes],
      );
    });

    test("is reached at the loopback address only, and keeps every log in the cluster's folder", () => {
      assert.ok(home.forwards.every(({ listen }) => /^127\.0\.0\.1:\d+$/.test(listen)));
      assert.deepEqual(
        home.forwards.map((one) => [one.name, one.machine, one.to]),
        [
          ["api-server", nodes[0], "192.168.1.11:6443"],
          ["web", visitor.name, "203.0.113.7:80"],
          ["websecure", visitor.name, "203.0.113.7:443"],
        ],
      );
      const processes = [...home.processes, ...home.machines.flatMap((one) => one.processes ?? [])];
      const logs = processes.map(({ logFile }) => logFile);
      assert.ok(
        logs.every((file) => file.startsWith(`${directory}/logs/`)),
        logs.join("\n"),
      );
      assert.deepEqual(logs, [...new Set(logs)]);
    });

    test("shows its machines the programs that run on them, read-only", () => {
      for (const { processes = [], mounts = [], name: one } of home.machines) {
        assert.ok(mounts.every(({ readOnly }) => readOnly === true));
        for (const { command } of processes) {
          const [program = ""] = command;
          const seen = !program.startsWith("/cache/") || mounts.some(({ target }) => program.startsWith(`${target}/`));
          assert.ok(seen, `${program} on ${one}`);
        }
      }
    });

    test("gives each node's pods a range of their own, and a route to all others", () => {
      const own = stack(name);
      const cluster = ipaddr.parseCIDR(own.network.podCidr);
      const ranges = nodes.map((one) => podCidr(own, one));
      assert.deepEqual(ranges, [...new Set(ranges)]);
      for (const one of nodes) {
        assert.ok(ipaddr.parseCIDR(podCidr(own, one))[0].match(cluster), podCidr(own, one));
        const routes = (machine(home, one).commands ?? [])
          .filter(([command, what]) => command === "ip" && what === "route")
          .map((command) => command.slice(3).join(" "));
        assert.deepEqual(routes, [
          "default via 192.168.1.1",
          ...nodes
            .filter((other) => other !== one)
            .map((other) => `${podCidr(own, other)} via ${nodeAddress(own, other)}`),
        ]);
        const { spec } = nodeObject(own, one) as { readonly spec: { readonly podCIDR: string } };
        assert.equal(spec.podCIDR, podCidr(own, one));
        assert.match(
          text(machine(home, one), "/etc/cni/net.d/10-pods.conflist"),
          new RegExp(`"subnet":"${spec.podCIDR}"`),
        );
      }
    });

    test("keeps each node's pods in a cgroup of the node's own, and lets nobody ask a kubelet without a right", () => {
      for (const one of nodes) {
        const kubelet = parse(text(machine(home, one), "/etc/kubernetes/kubelet.yaml")) as Record<string, unknown>;
        assert.equal(kubelet["cgroupRoot"], `/kraft-1/${one}`);
        assert.deepEqual(kubelet["authorization"], { mode: "Webhook" });
        assert.deepEqual((kubelet["authentication"] as Record<string, unknown>)["anonymous"], { enabled: false });
      }
    });

    test("has a router that lets nothing in from the internet but ports 80 and 443, for the first node", () => {
      const rules = text(machine(home, router.name), "/etc/router.nft");
      assert.match(rules, /hook forward priority filter; policy drop;/);
      assert.match(rules, /iifname "eth1" ct state new drop/);
      assert.deepEqual(rules.match(/dnat to .*/g), ["dnat to meta l4proto . th dport map @forwarded"]);
      assert.match(rules, /ip daddr 203\.0\.113\.7 dnat to meta l4proto \. th dport map @forwarded/);
      assert.match(rules, /elements = \{ tcp \. 80 : 192\.168\.1\.11, tcp \. 443 : 192\.168\.1\.11 \}/);
    });
  });
}

test("a stack without a node has no home", () => {
  assert.throws(() => homePlan({ stack: { ...stack("local"), nodes: [] } } as unknown as LayoutInputs), {
    name: "Failure",
    message: "The stack local has no node.",
  });
});
