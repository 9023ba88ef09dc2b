package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// systemPath is where the programs of any Linux are.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// inside is the first process of a home: it lays the cables and starts the machines.
func inside(path string) error {
	all, err := readPlan(path)
	if err != nil {
		return err
	}
	if err := os.Setenv("PATH", systemPath); err != nil {
		return err
	}
	// Nothing that is mounted from here on is seen outside of the home.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("/proc of the home: %w", err)
	}
	for _, folder := range all.Shared {
		if err := share(folder); err != nil {
			return err
		}
	}
	if err := makeCgroups(all); err != nil {
		return err
	}
	supervisor := newSupervisor()
	if err := supervisor.do("ip", "link", "set", "lo", "up"); err != nil {
		return err
	}
	for _, network := range all.Networks {
		if err := supervisor.do("ip", "link", "add", network, "type", "bridge"); err != nil {
			return err
		}
		if err := supervisor.do("ip", "link", "set", network, "up"); err != nil {
			return err
		}
	}
	for _, process := range all.Processes {
		if err := supervisor.keep(process); err != nil {
			return err
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, powerSignal)
	machines := machineRoom{supervisor: supervisor, path: path, cgroup: all.Cgroup, machines: all.Machines, running: map[string]bool{}}
	for _, machine := range all.Machines {
		if err := machines.powerOn(machine); err != nil {
			return fmt.Errorf("machine %s: %w", machine.Name, err)
		}
	}
	for received := range signals {
		if received != powerSignal {
			break
		}
		for _, machine := range machines.off() {
			if err := machines.powerOn(machine); err != nil {
				fmt.Fprintf(os.Stderr, "home: machine %s does not start: %v\n", machine.Name, err)
			}
		}
	}
	// A machine takes its own grace to end its processes.
	supervisor.stop(stopGrace + 2*time.Second)
	for _, folder := range all.Shared {
		unmountBelow(folder)
	}
	unix.Sync()
	return nil
}

// share makes a folder a mount of its own whose mounts reach the machines.
func share(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(folder, folder, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("%s as a mount: %w", folder, err)
	}
	if err := unix.Mount("", folder, "", unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("%s as a shared mount: %w", folder, err)
	}
	return nil
}

// unmountBelow writes file systems down before their end, so that none has to be checked at the next start.
func unmountBelow(folder string) {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return
	}
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], folder+"/") {
			_ = unix.Unmount(fields[1], unix.MNT_DETACH)
		}
	}
}

// machineRoom knows which machines of a home are on. One is off once its first process has ended.
type machineRoom struct {
	supervisor *supervisor
	path       string
	cgroup     string
	machines   []machinePlan
	mutex      sync.Mutex
	running    map[string]bool
}

// off are the machines that do not run.
func (room *machineRoom) off() []machinePlan {
	room.mutex.Lock()
	defer room.mutex.Unlock()
	found := []machinePlan{}
	for _, machine := range room.machines {
		if !room.running[machine.Name] {
			found = append(found, machine)
		}
	}
	return found
}

func (room *machineRoom) set(name string, running bool) {
	room.mutex.Lock()
	defer room.mutex.Unlock()
	room.running[name] = running
}

// powerOn starts a machine and plugs its cables in. The machine waits for them.
func (room *machineRoom) powerOn(machine machinePlan) error {
	// Cgroups end with a machine's power. Left here, its kubelet would look for a container in each for seconds.
	for _, folder := range cgroupFolders(room.cgroup) {
		removeCgroupsBelow(filepath.Join(folder, machine.Name))
	}
	ready, plugged, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	defer plugged.Close()
	supervisor := room.supervisor
	pid, ended, err := supervisor.start([]string{"/proc/self/exe", machineCommand, room.path, machine.Name}, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{ready, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Cloneflags: isolated},
	})
	if err != nil {
		return err
	}
	room.set(machine.Name, true)
	go func() {
		status := <-ended
		fmt.Fprintf(os.Stderr, "home: machine %s is off: status %d, signal %d\n", machine.Name, status.ExitStatus(), status.Signal())
		room.set(machine.Name, false)
	}()
	for index, link := range machine.Links {
		// The end that a hand can unplug. A device's name may have 15 bytes.
		cable := fmt.Sprintf("%.12s-%d", machine.Name, index)
		if err := supervisor.unplug(cable); err != nil {
			return err
		}
		for _, command := range [][]string{
			{"ip", "link", "add", cable, "type", "veth", "peer", "name", link.Device, "netns", strconv.Itoa(pid)},
			{"ip", "link", "set", cable, "master", link.Network, "up"},
		} {
			if err := supervisor.do(command...); err != nil {
				return err
			}
		}
	}
	_, err = plugged.Write([]byte{1})
	return err
}

// unplug removes a cable that the machine had before its power was cut. It is there as long as its other end is: that is in a
// network which goes when the kernel comes to it, and which others may be in.
func (supervisor *supervisor) unplug(cable string) error {
	isPlugged := func() bool {
		_, err := net.InterfaceByName(cable)
		return err == nil
	}
	if !isPlugged() {
		return nil
	}
	if err := supervisor.do("ip", "link", "delete", cable); err != nil && isPlugged() {
		return err
	}
	return nil
}

// makeCgroups makes a cgroup for each machine, with all processors and all memory.
func makeCgroups(all plan) error {
	if isCgroup2() {
		// A child has no controller that its parent does not pass on, and systemd passes on only what a unit asks for.
		if err := enableControllers(cgroupRoot); err != nil {
			return err
		}
	}
	for _, folder := range cgroupFolders(all.Cgroup) {
		for _, machine := range append([]machinePlan{{Name: ""}}, all.Machines...) {
			path := filepath.Join(folder, machine.Name)
			if err := os.MkdirAll(path, 0o755); err != nil {
				return fmt.Errorf("cgroup: %w", err)
			}
			if isCgroup2() {
				if err := enableControllers(path); err != nil {
					return err
				}
				continue
			}
			for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
				inherited, err := os.ReadFile(filepath.Join(path, "..", name))
				if errors.Is(err, os.ErrNotExist) {
					continue
				}
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(path, name), inherited, 0o644); err != nil {
					return fmt.Errorf("cgroup: %w", err)
				}
			}
		}
	}
	return nil
}

// kubeletControllers are those that a kubelet wants in its cgroup if the kernel has them: without one it does not start
// (getSupportedUnifiedControllers in its pkg/kubelet/cm).
var kubeletControllers = []string{"cpu", "cpuset", "hugetlb", "memory", "pids"}

// enableControllers lets the children of a cgroup of version 2 have limits of their own.
func enableControllers(path string) error {
	available, err := os.ReadFile(filepath.Join(path, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(available)) {
		if !slices.Contains(kubeletControllers, controller) {
			continue
		}
		if err := os.WriteFile(filepath.Join(path, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("cgroup controller %s: %w", controller, err)
		}
	}
	return nil
}
