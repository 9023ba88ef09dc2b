import { diskLeft, failedRequests, leaseWrites, memoryLeft, temperature } from "../monitoring/figures.ts";
import { platformParts } from "../monitoring/parts.ts";
import { allOrRed, limits, lines, number, page, timeline } from "./panels.ts";

const started = `container_start_time_seconds{container=~"${platformParts.map(({ container }) => container).join("|")}"}`;

/** The house on one page: what is wrong, its machines, and what the platform consists of. */
export const house = page({
  uid: "kraft-house",
  title: "The house",
  description: "What is wrong, the nodes, and the platform's own parts",
  past: "24h",
  panels: [
    number({
      title: "Alerts",
      description: "How many fire. The heartbeat, which always does, is not counted.",
      size: [4, 4],
      queries: { firing: 'count(ALERTS{alertstate="firing"}) - 1' },
      unit: "number",
      limits: [
        [null, "green"],
        [1, "red"],
      ],
    }),
    ...(
      [
        ["Nodes", "Nodes whose kubelet answers", 'avg(up{job="kubelet"})'],
        ["API servers", "API servers that answer", 'avg(up{job="apiserver"})'],
        [
          "Platform",
          "K3k's controller, cert-manager, its webhook and Traefik: those of which one runs",
          `count(count by (namespace, container) (${started})) / ${platformParts.length}`,
        ],
        ["Guests", "Guests of active tenants that answer at their name", 'avg(probe_success{job="guests"})'],
        ["Sites", "Hosts of tenants' Ingresses that answer by https", 'avg(probe_success{job="sites"})'],
      ] as const
    ).map(([title, description, expr]) =>
      number({ title, description, size: [4, 4], queries: { [title]: expr }, unit: "part", limits: allOrRed }),
    ),
    timeline({
      title: "What was told",
      description: "Alerts while they fired. Each has a page in docs/runbooks.",
      size: [24, 7],
      queries: {
        "{{alertname}} {{tenant}} {{node}}":
          'max by (alertname, tenant, node) (ALERTS{alertstate="firing",alertname!="Heartbeat"})',
      },
      unit: "number",
      limits: [[null, "red"]],
      none: "nothing",
      states: { 1: "fires" },
    }),
    lines({
      title: "CPU",
      description: "The part of each node's CPU that is used",
      size: [12, 8],
      queries: { "{{node}}": '1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[5m]))' },
      unit: "part",
    }),
    lines({
      title: "Memory",
      description: "The part of each node's memory that is used. NodeMemoryLow tells from 95 % on.",
      size: [12, 8],
      queries: { "{{node}}": `1 - ${memoryLeft}` },
      unit: "part",
      limits: limits(0.85, 0.95),
    }),
    lines({
      title: "Disks",
      description: "How full the nodes' own file systems are. NodeDiskFilling tells from 85 % on.",
      size: [12, 8],
      queries: { "{{node}} {{device}}": `1 - ${diskLeft}` },
      unit: "part",
      limits: limits(0.75, 0.85),
    }),
    lines({
      title: "Temperature",
      description: "The hottest sensor of each node that has one. NodeHot tells from 90 °C on.",
      size: [12, 8],
      queries: { "{{node}}": temperature },
      unit: "celsius",
      limits: limits(80, 90),
      none: "no sensor",
    }),
    lines({
      title: "Requests that the API server fails",
      description: "As a part of all. ApiServerFailing tells from 5 % on.",
      size: [12, 8],
      queries: { failed: failedRequests },
      unit: "part",
      limits: limits(0.01, 0.05),
      none: "none failed",
    }),
    lines({
      title: "Writes to etcd",
      description:
        "How long the slowest of a hundred takes, as each API server sees it. EtcdSlow tells from a second on.",
      size: [12, 8],
      queries: { "{{node}}": leaseWrites },
      unit: "seconds",
      limits: limits(0.5, 1),
    }),
    timeline({
      title: "Platform",
      description: "A part that starts again and again never runs for ten minutes; one that is missing has a gap.",
      size: [24, 6],
      queries: { "{{container}}": `max by (container) (time() - ${started} > bool 600)` },
      unit: "number",
      limits: [
        [null, "yellow"],
        [1, "green"],
      ],
      states: { 0: "started", 1: "runs" },
    }),
  ],
});
