import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { declareAccount, type Rights } from "./monitoring-account.ts";
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

/** What the probes ask for, and no Secret. */
const rights: Rights = {
  everywhere: [
    { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
    { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["list"] },
    {
      apiGroups: ["admissionregistration.k8s.io"],
      resources: [
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
      ],
      verbs: ["get"],
    },
  ],
  within: {
    [platformNamespaces.longhorn]: [
      { apiGroups: ["longhorn.io"], resources: ["backups"], verbs: ["list"] },
      { apiGroups: ["longhorn.io"], resources: ["backuptargets"], verbs: ["get"] },
    ],
  },
};

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
  const { account, bindings } = declareAccount(name, services.objects, rights, opts);
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
