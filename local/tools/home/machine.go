package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// machine is the first process of a machine: it makes the machine's file system, its part of the network and its processes.
func machine(path, name string) error {
	all, err := readPlan(path)
	if err != nil {
		return err
	}
	own, err := all.machine(name)
	if err != nil {
		return err
	}
	// The cables are there once something can be read.
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("waiting for the network: %w", err)
	}
	if err := unix.Sethostname([]byte(name)); err != nil {
		return err
	}
	if err := enterRoot(all, own); err != nil {
		return err
	}
	if err := os.Setenv("PATH", systemPath); err != nil {
		return err
	}
	for key, value := range own.Sysctls {
		if err := os.WriteFile(filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/")), []byte(value), 0o644); err != nil {
			return fmt.Errorf("sysctl %s: %w", key, err)
		}
	}
	for _, file := range own.Files {
		if err := os.MkdirAll(filepath.Dir(file.Path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file.Path, []byte(file.Text), os.FileMode(file.Mode)); err != nil {
			return err
		}
	}
	if err := os.Chdir(all.Directory); err != nil {
		return err
	}
	supervisor := newSupervisor()
	if err := supervisor.do("ip", "link", "set", "lo", "up"); err != nil {
		return err
	}
	for _, link := range own.Links {
		if err := supervisor.do("ip", "address", "add", link.Address, "dev", link.Device); err != nil {
			return err
		}
		if err := supervisor.do("ip", "link", "set", link.Device, "up"); err != nil {
			return err
		}
	}
	for _, command := range own.Commands {
		if err := supervisor.do(command...); err != nil {
			return err
		}
	}
	for _, forwarding := range all.Forwards {
		if forwarding.Machine == name {
			// Left by the same machine, if its power was cut.
			if err := os.RemoveAll(forwarding.socket()); err != nil {
				return err
			}
			listener, err := net.Listen("unix", forwarding.socket())
			if err != nil {
				return err
			}
			go forward(listener, "tcp", forwarding.To)
		}
	}
	for _, process := range own.Processes {
		if err := supervisor.keep(process); err != nil {
			return err
		}
	}
	untilTold()
	supervisor.stop(stopGrace)
	return nil
}

// A mounting is one call of mount(2) below a machine's new root.
type mounting struct {
	source, target, kind string
	flags                uintptr
	options              string
}

// enterRoot makes the machine's root from the read-only one and what the machine has changed of it, and moves there.
func enterRoot(all plan, own machinePlan) error {
	// Mounts of the home still reach the machine, those of the machine reach nobody.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return err
	}
	disk := filepath.Join(all.Directory, "machines", own.Name)
	root := filepath.Join(disk, "root")
	changes, work, variable := filepath.Join(disk, "changes"), filepath.Join(disk, "work"), filepath.Join(disk, "var-lib")
	for _, folder := range []string{root, changes, work, variable} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	mounts := []mounting{
		{"overlay", "", "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", all.Root, changes, work)},
		{"proc", "proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		// Of this network: what is below /sys/class/net.
		{"sysfs", "sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"/sys/fs/cgroup", "sys/fs/cgroup", "", unix.MS_BIND | unix.MS_REC, ""},
		{"/dev", "dev", "", unix.MS_BIND | unix.MS_REC, ""},
		{"tmpfs", "run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"tmpfs", "tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		// Not in the overlay, over which containerd could not make overlays of its own.
		{variable, "var/lib", "", unix.MS_BIND, ""},
		{all.Directory, all.Directory, "", unix.MS_BIND | unix.MS_REC, ""},
	}
	for _, mount := range own.Mounts {
		mounts = append(mounts, mounting{mount.Source, mount.Target, "", unix.MS_BIND | unix.MS_REC, ""})
		if mount.ReadOnly {
			mounts = append(mounts, mounting{"", mount.Target, "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY, ""})
		}
	}
	for _, mount := range mounts {
		target := filepath.Join(root, mount.target)
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(mount.source, target, mount.kind, mount.flags, mount.options); err != nil {
			return fmt.Errorf("mount %s at /%s: %w", mount.source, strings.TrimPrefix(mount.target, "/"), err)
		}
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	// The old root comes to lie over the new one, and is taken away (pivot_root(2)).
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	// As on a machine with systemd: mounts reach the containers that ask for them.
	if err := unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return err
	}
	return syscall.Chmod("/tmp", 0o1777)
}
