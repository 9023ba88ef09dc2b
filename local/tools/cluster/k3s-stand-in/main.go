// Command k3s-stand-in is what `npm run local` runs as /bin/k3s in the image rancher/k3s, because K3s itself can be had
// neither as a Go module nor as an image where Kraft is built. It is a stand-in: the API server, controller manager and
// scheduler are Kubernetes' own, the datastore is etcd's own, all linked into this one program; what K3s puts around them
// is written anew here, as far as K3k needs it:
//
//   - `server --config <file>` with K3s' keys and flags, and `server --cluster-reset`, which makes the datastore a cluster
//     of one member under the present address;
//   - K3s' files below /var/lib/rancher/k3s/server: `tls/`, `cred/`, `db/etcd`, `token` and `manifests/`;
//   - on port 6443, before the API server's own handlers, K3s' supervisor endpoints `/v1-k3s/server-bootstrap`,
//     `/v1-k3s/config` and `/v1-k3s/serving-kubelet.crt`; etcd on port 2379 with a certificate authority of its own;
//   - CoreDNS as an addon, and everything else in `manifests/`, applied at each start and when a file changes;
//   - the refusal of a token that the datastore was not made with, and of a second reset without a start in between.
//
// What K3s does and this does not: flannel, network policies, kubelet, containerd and agents (a server here is always one
// with `disable-agent`); servers that join another one; encryption of secrets and of the bootstrap data at rest; etcd
// snapshots; sqlite and external datastores; the addons Traefik, ServiceLB, metrics-server and local storage; Addon and
// HelmChart objects, and the removal of objects that no longer stand in a manifest; node names in CoreDNS' hosts; leader
// election; the supervisor's other endpoints; config.yaml.d. No kubectl, crictl or ctr is in it.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"k8s.io/component-base/version"
)

// Bytes of heap up to which the garbage collector takes its time. A guest's server may use 1 GiB (serverMemory in
// components/plan/size.ts), of which the datastore's file needs a part.
const memoryLimit = 640 << 20

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "k3s stand-in:", err)
		os.Exit(1)
	}
}

// versionLine is what `k3s --version` prints, and the first line of every log.
func versionLine() string {
	return fmt.Sprintf("k3s version %s+k3s1 (stand-in of Kraft: Kubernetes' own API server, controller manager, scheduler and etcd)", version.Get().GitVersion)
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("a command is missing: server, or --version")
	}
	switch arguments[0] {
	case "--version", "-v":
		fmt.Println(versionLine())
		return nil
	case "server":
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(50)
		}
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(memoryLimit)
		}
		fmt.Fprintln(os.Stderr, versionLine())
		settings, err := readSettings(arguments[1:])
		if err != nil {
			return err
		}
		return serve(settings)
	default:
		return fmt.Errorf("the command %q is not in this stand-in of K3s, only server and --version", arguments[0])
	}
}
