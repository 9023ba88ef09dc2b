package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The kernel's numbers (include/uapi/linux/fs.h): _IOWR('X', 119, int) and 120.
const (
	ioctlFreeze = 0xC0045877
	ioctlThaw   = 0xC0045878
)

// mountPoints are the folders on which something is mounted, in this process's namespace, with how often.
func mountPoints() (map[string]int, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	points := map[string]int{}
	for line := range strings.Lines(string(text)) {
		// proc_pid_mountinfo(5): the fifth field, with spaces and backslashes as octal numbers.
		if fields := strings.Fields(line); len(fields) > 4 {
			points[octal.Replace(fields[4])]++
		}
	}
	return points, nil
}

var octal = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func isMountPoint(path string) (bool, error) {
	points, err := mountPoints()
	return points[path] > 0, err
}

// shareMounts makes a folder a shared mount of its own, so that what is mounted below it reaches its slaves.
func shareMounts(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	mounted, err := isMountPoint(path)
	if err != nil {
		return err
	}
	if !mounted {
		if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind %s: %w", path, err)
		}
		// First of no group: what is mounted below it must not reach where the folder came from.
		if err := unix.Mount("", path, "", unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("make %s private: %w", path, err)
		}
	}
	if err := unix.Mount("", path, "", unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("make %s shared: %w", path, err)
	}
	return nil
}

// unmountAll unmounts everything that is mounted on a folder, and removes the folder.
func unmountAll(path string) error {
	for {
		mounted, err := isMountPoint(path)
		if err != nil {
			return err
		}
		if !mounted {
			break
		}
		if err := unix.Unmount(path, unix.UMOUNT_NOFOLLOW); err != nil {
			return &os.PathError{Op: "unmount", Path: path, Err: err}
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// frozen runs an action while nothing writes to a mounted file system, all of which is in its image by then.
func frozen(mountPoint string, action func() error) error {
	folder, err := os.Open(mountPoint)
	if err != nil {
		return err
	}
	defer folder.Close()
	// What can be written before is not waited for while everybody else waits.
	if err := unix.Syncfs(int(folder.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", mountPoint, err)
	}
	if err := unix.IoctlSetInt(int(folder.Fd()), ioctlFreeze, 0); err != nil {
		return fmt.Errorf("freeze %s: %w", mountPoint, err)
	}
	failure := action()
	return errors.Join(failure, unix.IoctlSetInt(int(folder.Fd()), ioctlThaw, 0))
}

// thaw makes a file system writable that a killed process may have left frozen.
func thaw(mountPoint string) error {
	folder, err := os.Open(mountPoint)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := unix.IoctlSetInt(int(folder.Fd()), ioctlThaw, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("thaw %s: %w", mountPoint, err)
	}
	return nil
}

// release undoes what a killed disks has left in this namespace and in the kernel.
func release(directory, mounts string) error {
	var problems []error
	points, err := mountPoints()
	if err != nil {
		return err
	}
	for point := range points {
		if filepath.Dir(point) == mounts {
			problems = append(problems, thaw(point), unmountAll(point))
		}
	}
	if points[mounts] > 0 {
		if err := unix.Unmount(mounts, 0); err != nil {
			problems = append(problems, &os.PathError{Op: "unmount", Path: mounts, Err: err})
		}
	}
	images, err := filepath.Glob(filepath.Join(directory, "volumes", "*", imageName))
	if err != nil {
		return err
	}
	for _, image := range images {
		problems = append(problems, releaseImage(image))
	}
	return errors.Join(problems...)
}

// releaseImage thaws a file system whose last mount went while it was frozen, which keeps its device for ever.
func releaseImage(image string) error {
	device, err := loopOf(image)
	if err != nil || device == nil {
		return err
	}
	defer device.Close()
	folder, err := os.MkdirTemp("", "volume-stand-in-")
	if err != nil {
		return err
	}
	if err := unix.Mount(device.Name(), folder, "ext4", 0, ""); err != nil {
		return errors.Join(fmt.Errorf("mount %s: %w", device.Name(), err), os.Remove(folder))
	}
	return errors.Join(thaw(folder), unmountAll(folder))
}
