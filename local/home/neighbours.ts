import { internet, lan, nas, provider, router, visitor } from "./addresses.ts";
import type { HomeProcess, MachinePlan } from "./plan.ts";
import { forwardedElements, forwardedFile } from "./port-forwarding.ts";

/** Where the router sends what arrives from the internet on the ports that it forwards. */
export interface PortForwarding {
  /** Until a platform says otherwise. */
  readonly address: string;
  /** Of the home, on this machine and in the router. */
  readonly directory: string;
}

/**
 * The router of the home: it translates the home's addresses into its public one, passes the forwarded ports on, also from
 * inside the home (NAT hairpinning, without which no pod could reach the platform by its public name), and lets nothing else
 * in. Its own page is on port 80 of its address at home.
 */
export function routerMachine(
  { address, directory }: PortForwarding,
  files: MachinePlan["files"] & object,
  processes: readonly HomeProcess[],
): MachinePlan {
  const rules = `
table ip router {
  map forwarded {
    type inet_proto . inet_service : ipv4_addr
    elements = { ${forwardedElements(address, [])} }
  }
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip daddr ${router.publicAddress} dnat to meta l4proto . th dport map @forwarded
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "eth1" masquerade
    ip saddr ${lan.cidr} ct status dnat masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "eth0" accept
    iifname "eth1" ct status dnat accept
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "eth1" ct state new drop
  }
}
`;
  return {
    name: router.name,
    links: [
      { network: lan.name, device: "eth0", address: `${router.address}/${lan.prefix}` },
      { network: internet.name, device: "eth1", address: `${router.publicAddress}/${internet.prefix}` },
    ],
    sysctls: { "net.ipv4.ip_forward": "1" },
    files: [
      { path: "/etc/router.nft", text: rules, mode: 0o644 },
      { path: "/etc/resolv.conf", text: `nameserver ${provider.address}\n`, mode: 0o644 },
      { path: "/srv/index.html", text: "The router's own page.\n", mode: 0o644 },
      ...files,
    ],
    commands: [
      ["nft", "-f", "/etc/router.nft"],
      ["sh", "-c", `! [ -e '${forwardedFile(directory)}' ] || nft -f '${forwardedFile(directory)}'`],
    ],
    processes,
  };
}

/** The network storage of the home: a page that no tenant may see. */
export function nasMachine(logFile: (process: string) => string): MachinePlan {
  return {
    name: nas.name,
    links: [{ network: lan.name, device: "eth0", address: `${nas.address}/${lan.prefix}` }],
    files: [{ path: "/srv/index.html", text: "The family's photographs.\n", mode: 0o644 }],
    commands: [["ip", "route", "add", "default", "via", router.address]],
    processes: [webServer(logFile(nas.name), nas.address)],
  };
}

/** busybox's web server over /srv. */
export function webServer(logFile: string, address: string): HomeProcess {
  return {
    name: "web",
    command: ["/usr/bin/busybox", "httpd", "-f", "-p", `${address}:80`, "-h", "/srv"],
    logFile,
  };
}

/** Somebody on the internet: curl, dig, and the name server of the internet. */
export function visitorMachine(): MachinePlan {
  return {
    name: visitor.name,
    links: [{ network: internet.name, device: "eth0", address: `${visitor.address}/${internet.prefix}` }],
    files: [{ path: "/etc/resolv.conf", text: `nameserver ${provider.address}\n`, mode: 0o644 }],
  };
}
