// Pods by their service account and by the tokens and passwords that they carry.
import { container, deploymentPod } from "./guest-pod.ts";
import type { GuestPod } from "./pods.ts";

const image = "ghcr.io/acme/app:2.1";

/** Service accounts with and without a token, projected tokens, and passwords of registries. */
export const accountPods: readonly GuestPod[] = [
  {
    name: "a service account with its token",
    source: "kubernetes.io, Configure Service Accounts for Pods",
    pod: deploymentPod("robot", [container("robot", image)], { spec: { serviceAccountName: "robot" } }),
  },
  {
    name: "a service account without a token",
    source: "kubernetes.io, Opt out of API credential automounting",
    // Release 1.1.0 keeps the account's name, which no account of the host has.
    releases: ["1.2.0-rc4"],
    pod: deploymentPod("quiet", [container("quiet", image)], {
      token: false,
      spec: { serviceAccountName: "quiet", automountServiceAccountToken: false },
    }),
  },
  {
    name: "the default service account, which mounts no token in this guest namespace",
    source: "kubernetes.io, Opt out of API credential automounting: on the account, not on the pod",
    pod: deploymentPod("hardened", [container("hardened", image)], { token: false }),
  },
  {
    name: "a pod that wants no token",
    source: "kubernetes.io, Opt out of API credential automounting",
    pod: deploymentPod("tokenless", [container("tokenless", image)], {
      token: false,
      spec: { automountServiceAccountToken: false },
    }),
  },
  {
    name: "a projected token for an audience of its own",
    source: "kubernetes.io, Launch a Pod using service account token projection",
    pod: deploymentPod(
      "vault-client",
      [container("app", image, { volumeMounts: [{ name: "vault", mountPath: "/var/run/secrets/tokens" }] })],
      {
        spec: {
          serviceAccountName: "build-robot",
          volumes: [
            {
              name: "vault",
              projected: {
                sources: [{ serviceAccountToken: { path: "vault-token", expirationSeconds: 7200, audience: "vault" } }],
              },
            },
          ],
        },
      },
    ),
  },
  {
    name: "a projected token for the guest's API, beside its certificate and namespace",
    source: "kubernetes.io, Manually mounting a service account token",
    // The audience is a URL, which release 1.1.0 puts into a Secret's name as it is.
    releases: ["1.2.0-rc4"],
    pod: deploymentPod(
      "rancher-agent",
      [
        container("agent", image, {
          volumeMounts: [{ name: "api", mountPath: "/var/run/secrets/api", readOnly: true }],
        }),
      ],
      {
        token: false,
        spec: {
          serviceAccountName: "agent",
          automountServiceAccountToken: false,
          volumes: [
            {
              name: "api",
              projected: {
                defaultMode: 420,
                sources: [
                  { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
                  { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
                  {
                    downwardAPI: {
                      items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
                    },
                  },
                ],
              },
            },
          ],
        },
      },
    ),
  },
  {
    name: "an image from a private registry",
    source: "kubernetes.io, Pull an Image from a Private Registry",
    pod: deploymentPod("private", [container("app", "registry.acme.example/app:1", { imagePullPolicy: "Always" })], {
      spec: { imagePullSecrets: [{ name: "registry" }, { name: "github" }] },
    }),
  },
];
