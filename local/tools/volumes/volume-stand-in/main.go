// Command volume-stand-in is the data plane in place of Longhorn's, for machines that are namespaces of one machine. Its
// volumes are ext4 file systems in sparse files behind loop devices: one copy each, so that nothing here says anything about
// Longhorn's replicas or engines.
//
//	volume-stand-in disks   --directory D --mounts M --socket S [--owner UID:GID]
//	volume-stand-in node    --kubelet-dir K --node-id N --mounts M --disks-socket S [--socket C]
//	volume-stand-in release --directory D --mounts M
//
// disks keeps the volumes of all nodes in D, mounts each that is attached once, below M, and answers on the socket S (see
// server.go). It needs root. M is a shared mount: a node gets it as a slave. node is the CSI node plugin of one kubelet, whose
// M is where that slave is. release frees whatever a disks that was killed has left mounted, frozen or behind a loop device.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// driverName is Longhorn's: storage classes and volumes name it.
const driverName = "driver.longhorn.io"

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "volume-stand-in:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("the first argument must be disks, node or release")
	}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	var directory, mounts, socket, owner, kubeletDir, nodeID, disksSocket string
	flags.StringVar(&mounts, "mounts", "", "folder below which attached volumes are mounted")
	needed := []string{"mounts"}
	switch arguments[0] {
	case "disks":
		flags.StringVar(&directory, "directory", "", "folder of the volumes")
		flags.StringVar(&socket, "socket", "", "unix socket to answer on")
		flags.StringVar(&owner, "owner", "0:0", "UID:GID that may read and write images and use the socket")
		needed = append(needed, "directory", "socket")
	case "release":
		flags.StringVar(&directory, "directory", "", "folder of the volumes")
		needed = append(needed, "directory")
	case "node":
		flags.StringVar(&kubeletDir, "kubelet-dir", "", "the kubelet's folder")
		flags.StringVar(&nodeID, "node-id", "", "name of the node")
		flags.StringVar(&disksSocket, "disks-socket", "", "unix socket of disks")
		flags.StringVar(&socket, "socket", "", "unix socket for the kubelet; default: plugins/"+driverName+"/csi.sock in its folder")
		needed = append(needed, "kubelet-dir", "node-id", "disks-socket")
	default:
		return fmt.Errorf("unknown command %q: disks, node or release", arguments[0])
	}
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	for _, name := range needed {
		if flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("--%s is missing", name)
		}
	}
	switch arguments[0] {
	case "disks":
		uid, gid, err := parseOwner(owner)
		if err != nil {
			return err
		}
		disks, err := openDisks(directory, mounts, uid, gid)
		if err != nil {
			return err
		}
		return serveDisks(ctx, disks, socket)
	case "release":
		return release(directory, mounts)
	default:
		if socket == "" {
			socket = filepath.Join(kubeletDir, "plugins", driverName, "csi.sock")
		}
		return serveNode(ctx, &node{id: nodeID, mounts: mounts, disks: disksClient(disksSocket)}, kubeletDir, socket)
	}
}

func parseOwner(text string) (int, int, error) {
	first, second, found := strings.Cut(text, ":")
	uid, problem := strconv.Atoi(first)
	gid, other := strconv.Atoi(second)
	if !found || problem != nil || other != nil || uid < 0 || gid < 0 {
		return 0, 0, fmt.Errorf("--owner %s: not UID:GID, for example 1000:1000", text)
	}
	return uid, gid, nil
}
