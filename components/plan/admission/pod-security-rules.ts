import { everyContainer, list } from "./expressions.ts";
import type { Rule } from "./policy.ts";

/** What `baseline` lets containers add (Kubernetes 1.35, "Pod Security Standards"). */
const capabilities = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/** The kernel's settings that `baseline` lets a pod change (the same page). */
const sysctls = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
];

type OfField = (field: string, condition: string) => string;

/** Conditions, in CEL, on a field of the security context of a pod, its containers, or both, which are true where it is absent. */
function onSecurityContext(spec: string): Readonly<Record<"both" | "ofContainer" | "ofPod", OfField>> {
  const ofContainer: OfField = (field, condition) =>
    everyContainer(
      `!has(c.securityContext) || !has(c.securityContext.${field}) || ${condition.replaceAll("$", `c.securityContext.${field}`)}`,
      spec,
    );
  const ofPod: OfField = (field, condition) =>
    `(!has(${spec}.securityContext) || !has(${spec}.securityContext.${field}) || ${condition.replaceAll("$", `${spec}.securityContext.${field}`)})`;
  return { ofContainer, ofPod, both: (...of) => `${ofPod(...of)} && ${ofContainer(...of)}` };
}

/**
 * Pod Security `baseline` allows the profiles that a node has loaded (`Localhost`) as well. Those of Debian 13 and Ubuntu are for its own
 * programs, and some of them confine nothing (`flags=(unconfined)` in /etc/apparmor.d).
 */
export function profileRule(spec = "object.spec"): Rule {
  const { both } = onSecurityContext(spec);
  const isDefault = "$.type == 'RuntimeDefault'";
  return {
    expression: `${both("seccompProfile", isDefault)} && ${both("appArmorProfile", isDefault)}`,
    message: "seccompProfile and appArmorProfile may only say RuntimeDefault: remove them, or write that",
  };
}

/**
 * What Pod Security `baseline` refuses on the host, in a guest's own words: there its refusal would come seconds later, in the
 * status of a pod under another name. Volumes of the node and /proc are refused by other rules.
 *
 * @param spec the pod's spec in CEL
 */
export function podSecurityRules(spec: string): readonly Rule[] {
  const off = (field: string): string => `(!has(${spec}.${field}) || !${spec}.${field})`;
  const { both, ofContainer, ofPod } = onSecurityContext(spec);
  const handler = (action: string): string =>
    `(!has(${action}.httpGet) || !has(${action}.httpGet.host) || ${action}.httpGet.host == '') && ` +
    `(!has(${action}.tcpSocket) || !has(${action}.tcpSocket.host) || ${action}.tcpSocket.host == '')`;
  const probes = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"];
  return [
    {
      expression: ofContainer("privileged", "!$"),
      message:
        "a container may not be privileged: remove securityContext.privileged; if an init container only sets vm.max_map_count or the like, leave it out and ask the operator, who sets it on the nodes",
    },
    {
      expression: ["hostNetwork", "hostPID", "hostIPC"].map(off).join(" && "),
      message:
        "hostNetwork, hostPID and hostIPC are the machine's: remove them; for a port that visitors reach ask the operator",
    },
    {
      expression: everyContainer("!has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0)", spec),
      message: "a hostPort is a port of the machine: remove it; write a Service, and ask the operator for a port",
    },
    {
      expression: ofContainer("capabilities", `(!has($.add) || $.add.all(a, a in ${list(capabilities)}))`),
      message: `capabilities.add may name only ${capabilities.join(", ")}, without CAP_ in front: remove all others, for example NET_ADMIN`,
    },
    {
      expression: ofPod("sysctls", `$.all(s, s.name in ${list(sysctls)})`),
      message:
        "securityContext.sysctls may name only settings that are a pod's own, such as net.ipv4.ip_unprivileged_port_start: remove all others, and ask the operator for those of the machine",
    },
    profileRule(spec),
    {
      expression: both(
        "seLinuxOptions",
        "((!has($.type) || $.type in ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']) && (!has($.user) || $.user == '') && (!has($.role) || $.role == ''))",
      ),
      message: "securityContext.seLinuxOptions may name none of the machine's types, users and roles: remove it",
    },
    {
      expression: both("windowsOptions", "(!has($.hostProcess) || !$.hostProcess)"),
      message: "securityContext.windowsOptions.hostProcess must not be true: remove it, the machines run Linux",
    },
    {
      expression: everyContainer(
        probes
          .map((probe) => {
            const parent = probe.includes(".") ? "!has(c.lifecycle) || " : "";
            return `(${parent}!has(c.${probe}) || (${handler(`c.${probe}`)}))`;
          })
          .join(" && "),
        spec,
      ),
      message: "a probe or a lifecycle hook may not name a host: remove it, the pod itself is asked",
    },
  ];
}
