// The way from an Ingress with a certificate to its Secret, as cert-manager goes it on the host: all in the tenant's
// namespace, under the names that K3k gave the Ingress and its Secret.
import { issuerSpec } from "../../../../components/plan/cert-manager-values.ts";
import { ingressClassName } from "../../../../components/plan/traefik-values.ts";
import type { KubernetesObject, Metadata, OwnerReference } from "../translate.ts";
import { base64, type Host, type LegitimateObject, nameOnHost, tlsNameOnHost, updateEntry } from "./entry.ts";

const domain = "acme.example";
const token = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
const key = `${token}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI`;
const uid = "b1c7d1b4-6f0c-4f70-8f0e-8b7d6a5c4e31";

/** Adler-32 of domain and token, by which cert-manager finds a challenge's solver. */
const solverLabels = {
  "acme.cert-manager.io/http-domain": String(adler32(domain)),
  "acme.cert-manager.io/http-token": String(adler32(token)),
  "acme.cert-manager.io/http01-solver": "true",
};

const issuerRef = { name: "kraft-issuer", kind: "ClusterIssuer", group: "cert-manager.io" };
const usages = ["digital signature", "key encipherment"];

/** A request for the domain, made once with openssl: cert-manager's webhook reads it. */
const request = base64(`-----BEGIN CERTIFICATE REQUEST-----
MIH2MIGcAgEAMAAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATlBGVH/5xFPWK4
hUx4FUKD6Sg0Hu/v6x2MuCqjz3lKfoPkYlMy0at8lulxPZ6y/SCEjicxbjT6P2zI
QbsD7oMQoDowOAYJKoZIhvcNAQkOMSswKTAXBgNVHREEEDAOggxhY21lLmV4YW1w
bGUwDgYDVR0PAQH/BAQDAgWgMAoGCCqGSM49BAMCA0kAMEYCIQDxnYW9AQ3JOh8I
phf2766wpzEVdniPLFHWm7F36Ap2ywIhAM/5oEWix2bwhKAqS2Puc2PQ9JK4piDs
bvWMbl3G76SR
-----END CERTIFICATE REQUEST-----
`);

/** Everything that one certificate and its renewal take. */
export function certManagerObjects(host: Host): LegitimateObject[] {
  const { namespace, name: cluster } = host.cluster;
  const ingressName = nameOnHost(host, "shop", "web");
  // Certificate, its Secret and what follows are all named after the Secret in the host's Ingress.
  const certificateName = tlsNameOnHost(host, "shop", "acme-example-tls");
  const requestName = `${certificateName}-1`;
  const orderName = `${certificateName.slice(0, 52).replace(/-+$/, "")}-2783513542`;
  const challengeName = `${orderName.slice(0, 52).replace(/-+$/, "")}-1530213811`;
  const nextKeyName = `${certificateName}-7nq4x`;
  // ingress-shim takes the Ingress' labels over, and K3k's with them.
  const labels = { "k3k.io/clusterName": cluster };
  const annotations = {
    "cert-manager.io/certificate-name": certificateName,
    "cert-manager.io/certificate-revision": "1",
    "cert-manager.io/private-key-secret-name": nextKeyName,
  };
  const owned = (apiVersion: string, kind: string, name: string, metadata: Metadata): Metadata => ({
    namespace,
    ...metadata,
    ownerReferences: [
      { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true } satisfies OwnerReference,
    ],
  });
  const entry = (name: string, file: string, object: KubernetesObject): LegitimateObject => ({
    name: `cert-manager's ${name}`,
    source: `cert-manager v1.21.2 ${file}`,
    as: "cert-manager",
    object,
  });
  const ofChallenge = (metadata: Metadata): Metadata =>
    owned("acme.cert-manager.io/v1", "Challenge", challengeName, {
      generateName: "cm-acme-http-solver-",
      labels: solverLabels,
      ...metadata,
    });
  const certificate: KubernetesObject = {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: owned("networking.k8s.io/v1", "Ingress", ingressName, { name: certificateName, labels }),
    spec: { dnsNames: [domain], secretName: certificateName, issuerRef, usages },
  };
  const challenge: KubernetesObject = {
    apiVersion: "acme.cert-manager.io/v1",
    kind: "Challenge",
    metadata: owned("acme.cert-manager.io/v1", "Order", orderName, { name: challengeName }),
    spec: {
      url: "https://acme-v02.api.letsencrypt.org/acme/chall/1/2/abc",
      authorizationURL: "https://acme-v02.api.letsencrypt.org/acme/authz/1/2",
      dnsName: domain,
      wildcard: false,
      type: "HTTP-01",
      token,
      key,
      issuerRef,
      solver: solver(),
    },
  };
  const issued = (revision: string): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: certificateName,
      namespace,
      labels: { "controller.cert-manager.io/fao": "true" },
      annotations: {
        "cert-manager.io/alt-names": domain,
        "cert-manager.io/certificate-name": certificateName,
        "cert-manager.io/common-name": domain,
        "cert-manager.io/ip-sans": "",
        "cert-manager.io/issuer-group": issuerRef.group,
        "cert-manager.io/issuer-kind": issuerRef.kind,
        "cert-manager.io/issuer-name": issuerRef.name,
        "cert-manager.io/uri-sans": "",
      },
    },
    type: "kubernetes.io/tls",
    data: { "tls.crt": base64(`certificate ${revision}\n`), "tls.key": base64(`key ${revision}\n`) },
  });
  return [
    entry("Certificate for an Ingress", "pkg/controller/certificate-shim/sync.go", certificate),
    entry("next private key", "pkg/controller/certificates/keymanager/keymanager_controller.go", {
      apiVersion: "v1",
      kind: "Secret",
      metadata: owned("cert-manager.io/v1", "Certificate", certificateName, {
        generateName: `${certificateName}-`,
        labels: { "cert-manager.io/next-private-key": "true", "controller.cert-manager.io/fao": "true" },
      }),
      data: { "tls.key": base64("key\n") },
    }),
    entry("CertificateRequest", "pkg/controller/certificates/requestmanager/requestmanager_controller.go", {
      apiVersion: "cert-manager.io/v1",
      kind: "CertificateRequest",
      metadata: owned("cert-manager.io/v1", "Certificate", certificateName, { name: requestName, labels, annotations }),
      spec: { issuerRef, request, usages },
    }),
    entry("Order", "pkg/controller/certificaterequests/acme/acme.go", {
      apiVersion: "acme.cert-manager.io/v1",
      kind: "Order",
      metadata: owned("cert-manager.io/v1", "CertificateRequest", requestName, {
        name: orderName,
        labels,
        annotations,
      }),
      spec: { request, issuerRef, dnsNames: [domain] },
    }),
    entry("Challenge", "pkg/controller/acmeorders/util.go", challenge),
    updateEntry({
      name: "cert-manager's Challenge gets its finalizer",
      source: "cert-manager v1.21.2 pkg/controller/acmechallenges/sync.go",
      as: "cert-manager",
      before: challenge,
      change: (existing) => ({
        ...existing,
        metadata: { ...existing.metadata, finalizers: ["acme.cert-manager.io/finalizer"] },
      }),
    }),
    entry("solver pod", "pkg/issuer/acme/http/pod.go", solverPod(ofChallenge)),
    entry("solver Service", "pkg/issuer/acme/http/service.go", {
      apiVersion: "v1",
      kind: "Service",
      metadata: ofChallenge({ annotations: { "auth.istio.io/8089": "NONE" } }),
      spec: {
        type: "ClusterIP",
        ports: [{ name: "http", port: 8089, targetPort: 8089 }],
        selector: solverLabels,
      },
    }),
    entry("solver Ingress", "pkg/issuer/acme/http/ingress.go", {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: ofChallenge({
        annotations: {
          "nginx.ingress.kubernetes.io/whitelist-source-range": "0.0.0.0/0,::/0",
          "traefik.ingress.kubernetes.io/router.entrypoints": "web",
        },
      }),
      spec: {
        ingressClassName,
        rules: [
          {
            host: domain,
            http: {
              paths: [
                {
                  path: `/.well-known/acme-challenge/${token}`,
                  pathType: "Exact",
                  backend: { service: { name: "cm-acme-http-solver-x7k2p", port: { number: 8089 } } },
                },
              ],
            },
          },
        ],
      },
    }),
    entry("issued Secret", "pkg/controller/certificates/issuing/internal/secret.go", issued("1")),
    updateEntry({
      name: "cert-manager's issued Secret is renewed",
      source: "cert-manager v1.21.2 pkg/controller/certificates/issuing/internal/secret.go",
      as: "cert-manager",
      before: issued("1"),
      change: (existing) => ({ ...existing, data: issued("2")["data"] }),
    }),
    updateEntry({
      name: "cert-manager's Certificate follows its Ingress",
      source: "cert-manager v1.21.2 pkg/controller/certificate-shim/sync.go",
      as: "cert-manager",
      before: certificate,
      change: (existing) => ({
        ...existing,
        spec: { ...(existing["spec"] as Record<string, unknown>), dnsNames: [domain, `www.${domain}`] },
      }),
    }),
    {
      name: "an event of cert-manager",
      source: "cert-manager v1.21.2 pkg/controller/certificate-shim/sync.go; client-go tools/record",
      as: "cert-manager",
      object: {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: `${certificateName}.18b194827e6b49da`, namespace },
        involvedObject: { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: ingressName, namespace },
        reason: "CreateCertificate",
        message: `Successfully created Certificate "${certificateName}"`,
        type: "Normal",
        source: { component: "cert-manager-ingress-shim" },
      },
    },
  ];
}

/** The one solver of the platform's issuer. */
function solver(): unknown {
  return issuerSpec({ ingressClassName, directory: "https://acme-v02.api.letsencrypt.org/directory" }).acme.solvers[0];
}

function solverPod(ofChallenge: (metadata: Metadata) => Metadata): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: ofChallenge({
      annotations: { "sidecar.istio.io/inject": "false", "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" },
    }),
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: "OnFailure",
      nodeSelector: { "kubernetes.io/os": "linux" },
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "acmesolver",
          image: "quay.io/jetstack/cert-manager-acmesolver:v1.21.2",
          imagePullPolicy: "IfNotPresent",
          args: ["--listen-port=8089", `--domain=${domain}`, `--token=${token}`, `--key=${key}`],
          ports: [{ name: "http", containerPort: 8089 }],
          resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { cpu: "100m", memory: "64Mi" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
            readOnlyRootFilesystem: true,
          },
        },
      ],
    },
  };
}

function adler32(text: string): number {
  let sum = 1;
  let sumOfSums = 0;
  for (const byte of Buffer.from(text)) {
    sum = (sum + byte) % 65521;
    sumOfSums = (sumOfSums + sum) % 65521;
  }
  return sumOfSums * 65536 + sum;
}
