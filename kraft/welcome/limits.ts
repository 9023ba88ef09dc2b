import { ingressLimits } from "../../components/plan/admission/ingresses.ts";
import { longestGracePeriod } from "../../components/plan/admission/pods.ts";
import { portLimit } from "../../components/plan/admission/services.ts";
import {
  type Amounts,
  containerRequest,
  datastoreStorage,
  largestOfTenant,
  objectQuota,
  podQuota,
} from "../../components/plan/size.ts";

/** One limit of a tenant. */
export interface TenantLimit {
  readonly what: string;
  /** A number, or a Kubernetes quantity. */
  readonly most: string;
  /** What the quotas in the cluster count of it; null where none does. */
  readonly resource: string | null;
  /** Where the tenant hears of going beyond it. */
  readonly beyond: string;
}

/** Where a tenant hears of going beyond a limit: not all of them can be told at `kubectl apply`. */
const heard = {
  apply: "refused by `kubectl apply`",
  disk: "asking for more is refused by `kubectl apply`, writing more ends the pod",
  pod: "the pod does not start; its status says why",
  claim: "the claim gets no volume, its pod waits for ever, and nothing says why",
  object: "it does not work, and nothing says why",
} as const;

/**
 * Every limit of a tenant with an allowance, from the quotas, the limit range and the admission rules themselves. The counts of
 * objects have the few that the platform itself keeps for the tenant among them.
 */
export function tenantLimits(allowance: Amounts): TenantLimit[] {
  const pods: Readonly<Record<string, string>> = podQuota(allowance).hard;
  const objects = objectQuota(allowance, {}).hard;
  const limit = (what: string, most: string, beyond: string, resource: string | null = null): TenantLimit => ({
    what,
    most,
    resource,
    beyond,
  });
  const quota = (
    hard: Readonly<Record<string, string>>,
    resource: string,
    what: string,
    beyond: string,
  ): TenantLimit => {
    const most = hard[resource];
    if (most === undefined) {
      throw new RangeError(`no quota counts ${resource}`);
    }
    return limit(what, most, beyond, resource);
  };
  const { cpu: cpuOfPod, volume, memory: memoryOfOne, ephemeralStorage } = largestOfTenant(allowance);
  const { cpu, memory } = containerRequest;
  return [
    quota(pods, "requests.cpu", `CPU that pods request, ${cpu} where a container says nothing`, heard.pod),
    quota(pods, "requests.memory", `memory that pods request, ${memory} where a container says nothing`, heard.pod),
    quota(pods, "pods", "pods that run", heard.pod),
    quota(objects, "count/pods", "pods, ended ones among them", heard.pod),
    quota(
      objects,
      "requests.storage",
      `volumes together, ${datastoreStorage} of it for your cluster's own objects`,
      heard.claim,
    ),
    quota(objects, "persistentvolumeclaims", "volumes, one of them for your cluster's own objects", heard.claim),
    limit("one volume", volume, heard.apply),
    limit("CPU that one pod requests, all its containers together", cpuOfPod, heard.apply),
    limit("memory of one container, and what one pod requests", memoryOfOne, heard.apply),
    limit("what one container writes beside its volumes (`ephemeral-storage`)", ephemeralStorage, heard.disk),
    limit("seconds that a pod may take to end", String(longestGracePeriod), heard.apply),
    quota(objects, "count/services", "Services", heard.object),
    limit("ports of one Service", String(portLimit), heard.apply),
    quota(objects, "count/configmaps", "ConfigMaps, one in each namespace among them", heard.object),
    quota(objects, "count/secrets", "Secrets, those of certificates among them", heard.object),
    quota(
      objects,
      "count/ingresses.networking.k8s.io",
      "Ingresses, those of certificates being issued among them",
      heard.object,
    ),
    limit("rules of one Ingress", String(ingressLimits.rules), heard.apply),
    limit("paths of one Ingress, all rules together", String(ingressLimits.paths), heard.apply),
    limit("characters of a path", String(ingressLimits.pathLength), heard.apply),
    limit("entries of `tls` in one Ingress, and hosts in each", String(ingressLimits.tls), heard.apply),
    limit("characters of a `secretName`", String(ingressLimits.secretName), heard.apply),
    quota(objects, "count/certificates.cert-manager.io", "certificates", heard.object),
    quota(
      objects,
      "count/challenges.acme.cert-manager.io",
      "certificates being issued, those of names that lead elsewhere too",
      heard.object,
    ),
  ];
}
