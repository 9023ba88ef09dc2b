/** What one container requests, and the most memory that it gets before it is restarted. */
export interface Size {
  readonly millicpu: number;
  readonly memoryMebibytes: number;
  readonly limitMebibytes: number;
}

/** From how much memory of its smallest node on a cluster keeps a month of history instead of a week. */
const largeNodeGiB = 64;

/**
 * What watching the platform costs. History is no tenant's data: it is on the disk of the node that Prometheus runs on, and
 * gone when the pod moves.
 *
 * Requests are what was measured on the embedded home (docs/monitoring.md), rounded up; each limit is more than twice that.
 * Grafana's are what its manual asks for at least, and a part of that as request: none has run here. It keeps nothing, so that
 * the hardware does not matter. Prometheus remembers all figures of an API server, thirty thousand and more, to leave most of them out.
 */
export function monitoringSizes(nodes: readonly { readonly memoryGiB: number }[]) {
  const isLarge = Math.min(...nodes.map(({ memoryGiB }) => memoryGiB)) >= largeNodeGiB;
  return {
    prometheus: { millicpu: 50, memoryMebibytes: isLarge ? 320 : 192, limitMebibytes: isLarge ? 768 : 512 },
    alertmanager: { millicpu: 10, memoryMebibytes: 48, limitMebibytes: 128 },
    probes: { millicpu: 10, memoryMebibytes: 32, limitMebibytes: 96 },
    objects: { millicpu: 10, memoryMebibytes: 64, limitMebibytes: 160 },
    nodes: { millicpu: 10, memoryMebibytes: 32, limitMebibytes: 96 },
    grafana: { millicpu: 20, memoryMebibytes: 192, limitMebibytes: 512 },
    history: isLarge ? { days: 30, gibibytes: 4 } : { days: 7, gibibytes: 1 },
  } as const satisfies Record<string, Size | { readonly days: number; readonly gibibytes: number }>;
}

/** kubectl, for some seconds every quarter of an hour. */
export const reporterSize: Size = { millicpu: 10, memoryMebibytes: 48, limitMebibytes: 128 };
