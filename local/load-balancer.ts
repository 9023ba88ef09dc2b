import type { KubernetesObject } from "../cluster/objects.ts";
import type { Path } from "../cluster/paths.ts";
import type { Api } from "./api.ts";

interface Service extends KubernetesObject {
  readonly spec: { readonly type?: string; readonly loadBalancerClass?: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

const services: Path<Service> = "/api/v1/services";

/**
 * Gives every Service of type LoadBalancer these addresses, as k3s' own load balancer gives it those of its nodes. It leaves
 * those with a class to whom the class names, such as MetalLB.
 */
export async function assignAddresses(api: Api, addresses: readonly string[]): Promise<void> {
  for (const service of await api.list(services)) {
    const { type, loadBalancerClass } = service.spec;
    const given = (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
    if (type === "LoadBalancer" && loadBalancerClass === undefined && given.join() !== addresses.join()) {
      const { name, namespace = "" } = service.metadata;
      await api.apply(`/api/v1/namespaces/${namespace}/services/${name}/status`, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace },
        status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP" })) } },
      });
    }
  }
}
