import { restrictedContexts } from "./pod-security.ts";

export interface K3kSettings {
  readonly podCidr: string;
  /** Version of the chart, which the images of controller and kubelet follow. */
  readonly version: string;
  /** Whether this version of the chart can set the controller's security context. */
  readonly securityContexts: boolean;
}

export type K3kValues = ReturnType<typeof k3kValues>;

export function k3kValues({ podCidr, version, securityContexts }: K3kSettings) {
  const image = { tag: `v${version}` };
  return {
    host: { clusterCIDR: podCidr },
    controller: {
      // It elects no leader, so there is only one.
      replicas: 1,
      image,
      resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
      podSecurityContext: securityContexts ? restrictedContexts.pod : undefined,
      securityContext: securityContexts ? restrictedContexts.container : undefined,
    },
    agent: { shared: { image } },
  };
}
