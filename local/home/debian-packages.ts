/**
 * What a machine of the home has beside Debian's smallest system: a node what its kubelet, kube-proxy and kube-router
 * call, every machine what its network is set up and looked at with.
 */
export const machinePackages: readonly string[] = [
  // The container runtime, and the CNI plugins under /usr/lib/cni.
  "containerd",
  "runc",
  "containernetworking-plugins",
  // kube-proxy calls nft and conntrack, kube-router iptables and ipset, the kubelet iptables.
  "conntrack",
  "ipset",
  "iptables",
  "kmod",
  "nftables",
  // Volumes: the kubelet calls mkfs.ext4, fsck and resize2fs. mount and losetup are in every Debian.
  "e2fsprogs",
  // Containers' only shell, see local/images/; a web server and wget for the machines of the internet.
  "busybox-static",
  "bind9-dnsutils",
  "ca-certificates",
  "curl",
  "iproute2",
  "iputils-ping",
  "openssl",
  "procps",
];
