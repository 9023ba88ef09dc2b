import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { declareProgram, type Image, text } from "./monitoring-program.ts";
import type { ObjectProbe } from "./plan/monitoring/object-probes.ts";
import { monitoringNamespace, ports, services } from "./plan/monitoring/parts.ts";
import { objectProbeConfig } from "./plan/monitoring/scrapes.ts";
import type { Size } from "./plan/monitoring/sizes.ts";
import { platformNamespaces } from "./plan/network/platform-policies.ts";

export interface ObjectExporter {
  /** The blackbox exporter. */
  readonly image: Image;
  readonly size: Size;
  readonly objects: readonly ObjectProbe[];
}

/**
 * Declares what asks the API server about objects for Prometheus: a blackbox exporter of its own, with an account that may read
 * walls and Longhorn's backups. The one that asks tenants' sites has no token.
 */
export function declareObjectExporter(
  name: string,
  exporter: ObjectExporter,
  opts: pulumi.CustomResourceOptions,
): void {
  const config = text(objectProbeConfig(exporter.objects));
  const files = new kubernetes.core.v1.ConfigMap(
    `${name}-config`,
    { metadata: { name: services.objects, namespace: monitoringNamespace }, data: { "objects.json": config } },
    opts,
  );
  const { account, bindings } = declareAccount(name, opts);
  declareProgram(
    name,
    {
      namespace: monitoringNamespace,
      name: services.objects,
      image: exporter.image,
      size: exporter.size,
      port: ports.probes,
      account: account.metadata.name,
      arguments: ["--config.file=/etc/blackbox/objects.json"],
      readiness: "/-/healthy",
      folders: { "/etc/blackbox": { configMap: { name: services.objects } } },
      config,
    },
    { ...opts, dependsOn: [files, ...bindings] },
  );
}

/** An account that may read what the probes ask for, and no Secret. */
function declareAccount(name: string, opts: pulumi.CustomResourceOptions) {
  const account = new kubernetes.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata: { name: services.objects, namespace: monitoringNamespace }, automountServiceAccountToken: false },
    opts,
  );
  const metadata = { name: `kraft-${services.objects}` };
  const subjects = [{ kind: "ServiceAccount", name: services.objects, namespace: monitoringNamespace }];
  const apiGroup = "rbac.authorization.k8s.io";
  const everywhere = new kubernetes.rbac.v1.ClusterRole(
    `${name}-role`,
    {
      metadata,
      rules: [
        { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
        { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["list"] },
        {
          apiGroups: ["admissionregistration.k8s.io"],
          resources: ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
          verbs: ["get"],
        },
      ],
    },
    opts,
  );
  const inLonghorn = { ...metadata, namespace: platformNamespaces.longhorn };
  const ofLonghorn = new kubernetes.rbac.v1.Role(
    `${name}-role-longhorn`,
    {
      metadata: inLonghorn,
      rules: [
        { apiGroups: ["longhorn.io"], resources: ["backups"], verbs: ["list"] },
        { apiGroups: ["longhorn.io"], resources: ["backuptargets"], verbs: ["get"] },
      ],
    },
    opts,
  );
  const bindings = [
    new kubernetes.rbac.v1.ClusterRoleBinding(
      `${name}-binding`,
      { metadata, roleRef: { apiGroup, kind: "ClusterRole", name: metadata.name }, subjects },
      { ...opts, dependsOn: [everywhere, account] },
    ),
    new kubernetes.rbac.v1.RoleBinding(
      `${name}-binding-longhorn`,
      { metadata: inLonghorn, roleRef: { apiGroup, kind: "Role", name: metadata.name }, subjects },
      { ...opts, dependsOn: [ofLonghorn, account] },
    ),
  ];
  return { account, bindings };
}
