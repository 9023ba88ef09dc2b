package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

const (
	insideCommand  = "inside"
	machineCommand = "machine"
)

// isolated are the namespaces that a home, and each machine in it, has of its own.
const isolated = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// powerSignal tells a home to start the machines that are off.
const powerSignal = syscall.SIGUSR1

// run is the one process of a home that is outside of it. It listens on the loopback address, and its end is the end of
// everything inside.
func run(path string) error {
	// The kernel ends the child when the thread that started it ends (PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	all, err := readPlan(path)
	if err != nil {
		return err
	}
	if err := os.Chdir(all.Directory); err != nil {
		return err
	}
	// Left by a home that was killed.
	if err := os.RemoveAll("run"); err != nil {
		return err
	}
	if err := os.MkdirAll("run", 0o755); err != nil {
		return err
	}
	removeCgroups(all.Cgroup)
	defer removeCgroups(all.Cgroup)
	listeners := []net.Listener{}
	for _, forwarding := range all.Forwards {
		listener, err := net.Listen("tcp", forwarding.Listen)
		if err != nil {
			return fmt.Errorf("forwarder %s: %w", forwarding.Name, err)
		}
		listeners = append(listeners, listener)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, powerSignal)
	child := exec.Command("/proc/self/exe", insideCommand, path)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: isolated, Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		return fmt.Errorf("the namespaces of the home: %w", err)
	}
	for index, forwarding := range all.Forwards {
		go forward(listeners[index], "unix", forwarding.socket())
	}
	go func() {
		for received := range signals {
			if received != powerSignal {
				received = syscall.SIGTERM
			}
			_ = child.Process.Signal(received)
		}
	}()
	err = child.Wait()
	for _, listener := range listeners {
		_ = listener.Close()
	}
	return err
}

// cgroupRoot is where Linux has its cgroups.
const cgroupRoot = "/sys/fs/cgroup"

// cgroupFolders are the home's cgroups: one for each controller with cgroup v1, one in all with v2.
func cgroupFolders(name string) []string {
	found, _ := filepath.Glob(filepath.Join(cgroupRoot, "*", "cgroup.procs"))
	folders := []string{}
	if isCgroup2() {
		return []string{filepath.Join(cgroupRoot, name)}
	}
	for _, file := range found {
		folders = append(folders, filepath.Join(filepath.Dir(file), name))
	}
	return folders
}

func isCgroup2() bool {
	_, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers"))
	return err == nil
}

// removeCgroups removes cgroups without processes. Those of a process that is just ending stay for the next time.
func removeCgroups(name string) {
	for _, folder := range cgroupFolders(name) {
		removeCgroup(folder)
	}
}

func removeCgroup(folder string) {
	removeCgroupsBelow(folder)
	_ = syscall.Rmdir(folder)
}

func removeCgroupsBelow(folder string) {
	children, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, child := range children {
		if child.IsDir() {
			removeCgroup(filepath.Join(folder, child.Name()))
		}
	}
}
