// What honest users and controllers write into a tenant's namespace on the host, from sources and documentation and
// without a look at the admission policies: a policy that refuses any of it stops honest work.
import { syncConfig } from "../../../components/plan/guest.ts";
import { priorityClasses } from "../../../components/plan/size.ts";
import { tenantClasses } from "../../../components/plan/storage.ts";
import { certManagerObjects } from "./legitimate/cert-manager.ts";
import { claims } from "./legitimate/claims.ts";
import { configMaps, secrets } from "./legitimate/configuration.ts";
import type { Host, LegitimateObject } from "./legitimate/entry.ts";
import { ingresses } from "./legitimate/ingresses.ts";
import { k3kObjects } from "./legitimate/k3k.ts";
import { operatorObjects } from "./legitimate/operator.ts";
import { featurePods } from "./legitimate/pod-features.ts";
import { podUpdates } from "./legitimate/pod-updates.ts";
import { applicationPods } from "./legitimate/pods.ts";
import { systemPods } from "./legitimate/pods-of-k3s.ts";
import { services } from "./legitimate/services.ts";
import type { GuestCluster } from "./translate.ts";

export type { Host, Identity, LegitimateObject } from "./legitimate/entry.ts";

/** The tenant acme, with a uid that no Cluster has: enough for a dry run. */
const acme: GuestCluster = {
  name: "acme",
  namespace: "k3k-acme",
  uid: "00000000-0000-4000-8000-000000000000",
};

/**
 * All that is legitimate in the namespace of one guest cluster, with what the platform tells K3k where `host` does not
 * say otherwise.
 *
 * @param cluster With its real uid where anything is kept: the garbage collector deletes what refers to no Cluster.
 */
export function legitimateObjects(
  cluster: GuestCluster,
  host: Partial<Omit<Host, "cluster">> = {},
): LegitimateObject[] {
  const settings: Host = {
    serviceNetwork: "10.43.0",
    priorityClass: priorityClasses.tenant,
    translateTls: !syncConfig(tenantClasses("standard").selector).ingresses.disableTLSSecretTranslation,
    ...host,
    cluster,
  };
  return [
    ...applicationPods(settings),
    ...featurePods(settings),
    ...systemPods(settings),
    ...podUpdates(settings),
    ...services(settings),
    ...ingresses(settings),
    ...configMaps(settings),
    ...secrets(settings),
    ...claims(settings),
    ...k3kObjects(settings),
    ...certManagerObjects(settings),
    ...operatorObjects(settings),
  ];
}

/** The same for the tenant acme, whose domains are acme.example and shop.acme.test. */
export const legitimate: readonly LegitimateObject[] = legitimateObjects(acme);
