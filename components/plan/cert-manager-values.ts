/** Name of the ClusterIssuer, which tenants write into their Ingresses. */
export const issuerName = "kraft-issuer";

/** What cert-manager's Helm values follow from. */
export interface CertManagerSettings {
  readonly namespace: string;
  /** Nodes of the host cluster: with more than one, controller and webhook run twice. */
  readonly nodes: number;
}

/**
 * Values for cert-manager's chart. Certificates keep their Secret when an Ingress goes, so that a re-created one costs
 * no new certificate; CRDs stay when the chart goes, and with them every certificate.
 */
export function certManagerValues({ namespace, nodes }: CertManagerSettings): Record<string, unknown> {
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

/**
 * The `spec` of the ClusterIssuer: HTTP-01 only. With a DNS-01 solver for the platform's zone any tenant could have a
 * certificate for any name in it, since the solver is chosen by labels that tenants write.
 *
 * @param directory URL of the ACME directory.
 * @param hairpin Whether the home's router leads its own public address back inside.
 */
export function issuerSpec(
  name: string,
  ingressClass: string,
  directory: string,
  email?: string,
  hairpin = true,
): Record<string, unknown> {
  return {
    acme: {
      server: directory,
      ...(email === undefined ? {} : { email }),
      privateKeySecretRef: { name: `${name}-account-key` },
      solvers: [
        {
          // Where the house cannot reach its own public address, cert-manager cannot see what the authority will see.
          ...(hairpin ? {} : { waitInsteadOfSelfCheck: "30s" }),
          http01: {
            ingress: {
              ingressClassName: ingressClass,
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
