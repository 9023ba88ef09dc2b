import { z } from "zod";
import { isAddress, isIPv6, isRange } from "../../../components/plan/network/address.ts";
import { hardware } from "./hardware.ts";
import { domain, expect, placeholder, text } from "./values.ts";

/** The host cluster, its machines, and the network they are in. */

/** User on the nodes where `kraft:machines.user` names none. */
export const defaultUser = "kraft";

const clusterCommand = "kubectl --context <context> get namespace kube-system -o jsonpath='{.metadata.uid}'";
export const cluster = z.strictObject(
  {
    kubeconfig: text(
      /./,
      expect("the path of a kubeconfig", "for example ~/.kube/kraft-homelab.yaml, the same on every machine"),
    ).describe("Path of the kubeconfig, the same on every machine; ~/ is the home folder"),
    context: text(/./, expect("the name of a context in that kubeconfig", "for example kraft-homelab")).describe(
      "Context in that kubeconfig",
    ),
    uid: text(
      new RegExp(`^(?!${placeholder.clusterUid.source.slice(1)})[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
      expect("the UID of the cluster's namespace kube-system", `read it with: ${clusterCommand}`),
    ).describe("UID of the namespace kube-system: Kraft touches no other cluster"),
  },
  expect("a map with kubeconfig, context and uid", "see docs/first-steps.md"),
);

const notPlaceholder = new RegExp(`^(?!${placeholder.address.source.slice(1)})`);

function homeAddress(expectation: { error: string }) {
  return text(notPlaceholder, expectation).refine((address) => isAddress(address) && !isIPv6(address), expectation);
}

const drive = text(
  /^(naa|eui|t10|nvme|uuid)\.[\w.:-]+$/,
  expect(
    "the WWID of a drive, for example naa.600508b1001c7ad3f0f1c8a2c9f01a11",
    "read it with: talosctl get disks --insecure --nodes <address>",
  ),
);
export const node = z.strictObject(
  {
    drives: z
      .strictObject(
        {
          system: drive.describe("Where Talos is installed. Its contents are overwritten"),
          longhorn: drive.describe("Where Longhorn keeps the tenants' volumes. Nothing else is on it"),
        },
        expect("a map with system and longhorn", "for example `drives: { system: naa.6005…, longhorn: naa.6005… }`"),
      )
      .optional()
      .describe("Drives of a machine on Talos, by WWID; needed with kraft:machines"),
    hostKey: text(
      /^ssh-ed25519 [A-Za-z0-9+/]{68}={0,2}$/,
      expect(
        "the node's public host key: ssh-ed25519 and its text, without a comment",
        "read it on the node's own screen: cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub",
      ),
    )
      .optional()
      .describe("The node's public SSH host key; needed with kraft:machines, which talks to no other machine"),
    address: homeAddress(
      expect(
        "an IPv4 address of your home network; those of 192.0.2.0/24 are placeholders",
        "read it with: kubectl --context <context> get nodes -o wide",
      ),
    ).describe("The node's address in your home network"),
    hardware: hardware
      .optional()
      .describe(
        "What the machine is. Where every node has it, kraft:nodes says which nodes there are; without it, stacks/<stack>.ts does",
      ),
  },
  expect(
    "a map with address and, where needed, hardware, and with kraft:machines hostKey or drives",
    "for example `{ address: 192.168.1.11 }`",
  ),
);

const digestExpectation = expect(
  "a SHA-256: 64 digits and letters a to f",
  "take it from the release's own page, file sha256sum-amd64.txt or sha256sum-arm64.txt",
);
const digest = text(/^[0-9a-f]{64}$/, digestExpectation);
export const machines = z.strictObject(
  {
    user: text(
      /^[a-z_][a-z0-9_-]{0,31}$/,
      expect("the name of a user", "the one that docs/machines-homelab.md sets up, for example kraft"),
    )
      .optional()
      .describe("User on every node who may use sudo without a password. Default: kraft"),
    api: domain
      .optional()
      .describe("Name of the API server in your home's DNS, with the addresses of all nodes. Default: the first node"),
    clusterInit: z
      .boolean(expect("true or false", "true once, for the first installation; then leave the key out"))
      .default(false)
      .describe("Whether the first node may begin a new cluster. Only for the first installation"),
    recoverFrom: text(
      /./,
      expect("the path of a snapshot of etcd", "for example ~/.kube/kraft-proliant-etcd-20261125T180000Z.db"),
    )
      .optional()
      .describe("Snapshot of etcd that a machine on Talos gets back when it has none. Only for that"),
    sha256: z
      .strictObject({ amd64: digest.optional(), arm64: digest.optional() }, digestExpectation)
      .optional()
      .describe("SHA-256 of the k3s program, by architecture; that of the release is compared in any case"),
    again: z
      .string(expect("any text", 'for example `again: "2026-11-25"`; another one runs everything again'))
      .optional()
      .describe("Any text: when it changes, every node is gone through again"),
  },
  expect("a map with user, api, clusterInit, recoverFrom, sha256 and again", "see docs/machines-homelab.md"),
);

const resolverExpectation = expect(
  "the address of a name server; those of 192.0.2.0/24 are placeholders",
  "write what the nodes use, on k3s: resolvectl dns, or cat /etc/resolv.conf",
);
const rangeExpectation = expect(
  "a range of addresses in its shortest form, at most a /8, for IPv6 a /16",
  "for example 2001:db8:7::/56, and for a single address 203.0.113.7/32",
);
export const network = z.strictObject(
  {
    entry: homeAddress(
      expect(
        "an IPv4 address of your home network that no machine has",
        "take one that DHCP never gives away, for example 192.168.1.250, and forward the router's ports 80 and 443, and those of tenants, to it",
      ),
    )
      .optional()
      .describe(
        "Address of the entrypoint in your home network, which moves when a node dies. Only with several nodes",
      ),
    hairpin: z
      .boolean(expect("true or false", "see docs/entry.md; leave the key out where your router does it"))
      .default(true)
      .describe("Whether your router leads your own public address back inside (NAT loopback). Default: true"),
    resolvers: z
      .array(
        text(notPlaceholder, resolverExpectation).refine(isAddress, resolverExpectation),
        expect("a list of addresses", "for example `resolvers: [192.168.1.1]`"),
      )
      .min(1, expect("at least one address", "for example `resolvers: [192.168.1.1]`"))
      .describe("Name servers that the nodes use. Tenants may ask them, and reach nothing else of your home."),
    home: z
      .array(
        z.string(rangeExpectation).refine(isRange, rangeExpectation),
        expect("a list of ranges", "for example `home: [203.0.113.7/32, 2001:db8:7::/56]`"),
      )
      .default([])
      .describe("Public ranges that are your own: your IPv6 prefix, a fixed public address. Tenants never reach them."),
  },
  expect(
    "a map with resolvers and, where you need them, home, entry and hairpin",
    "for example `kraft:network: { resolvers: [192.168.1.1] }`",
  ),
);
