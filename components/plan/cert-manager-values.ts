/** Name of the ClusterIssuer, which tenants write into their Ingresses. */
export const issuerName = "kraft-issuer";

export type CertManagerValues = ReturnType<typeof certManagerValues>;

/**
 * Values for cert-manager's chart. Certificates keep their Secret when an Ingress goes, so that a re-created one costs
 * no new certificate; CRDs stay when the chart goes, and with them every certificate.
 */
export function certManagerValues({ namespace, nodes }: { readonly namespace: string; readonly nodes: number }) {
  const replicas = Math.min(2, nodes);
  const disruption = replicas > 1 ? { enabled: true, maxUnavailable: 1 } : { enabled: false };
  return {
    crds: { enabled: true, keep: true },
    global: { leaderElection: { namespace }, priorityClassName: "system-cluster-critical" },
    replicaCount: replicas,
    podDisruptionBudget: disruption,
    resources: { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "256Mi" } },
    webhook: {
      replicaCount: replicas,
      podDisruptionBudget: disruption,
      resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "128Mi" } },
    },
    cainjector: { resources: { requests: { cpu: "10m", memory: "96Mi" }, limits: { memory: "256Mi" } } },
    enableCertificateOwnerRef: false,
    config: {
      apiVersion: "controller.config.cert-manager.io/v1alpha1",
      kind: "ControllerConfiguration",
      // The authority's own renewal schedule (RFC 9773): Let's Encrypt exempts such renewals from its limits.
      featureGates: { ACMEUseARI: true },
    },
    // A Helm hook, which a rendered chart does not run.
    startupapicheck: { enabled: false },
  };
}

export interface IssuerSettings {
  /** Ingress class through which HTTP-01 challenges are answered. */
  readonly ingressClassName: string;
  readonly directory: string;
  /** Contact of the ACME account, if there is one. */
  readonly email?: string | undefined;
  /** Whether the home's router leads its own public address back inside; by default it does. */
  readonly hairpin?: boolean;
}

/**
 * The `spec` of the ClusterIssuer: HTTP-01 only. With a DNS-01 solver for the platform's zone any tenant could have a
 * certificate for any name in it, since the solver is chosen by labels that tenants write.
 */
export function issuerSpec({ ingressClassName, directory, email, hairpin = true }: IssuerSettings) {
  return {
    acme: {
      server: directory,
      email,
      privateKeySecretRef: { name: `${issuerName}-account-key` },
      solvers: [
        {
          // Without hairpinning cert-manager cannot reach the challenge the way the authority will.
          waitInsteadOfSelfCheck: hairpin ? undefined : "30s",
          http01: {
            ingress: {
              ingressClassName,
              // The default is NodePort, which the tenants' quota forbids.
              serviceType: "ClusterIP",
              podTemplate: {
                spec: {
                  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { cpu: "100m", memory: "64Mi" } },
                },
              },
              ingressTemplate: {
                metadata: { annotations: { "traefik.ingress.kubernetes.io/router.entrypoints": "web" } },
              },
            },
          },
        },
      ],
    },
  };
}
