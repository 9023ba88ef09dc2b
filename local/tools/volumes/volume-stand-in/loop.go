package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// loopMajor is the number of the kernel's loop driver (Documentation/admin-guide/devices.txt).
const loopMajor = 7

// openLoop opens a loop device, which need not have a node: outside of devtmpfs nobody makes one.
func openLoop(number int) (*os.File, error) {
	path := fmt.Sprintf("/dev/loop%d", number)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := unix.Mknod(path, unix.S_IFBLK|0o660, int(unix.Mkdev(loopMajor, uint32(number)))); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, &os.PathError{Op: "mknod", Path: path, Err: err}
		}
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

// loopOf finds the loop device that an image is behind, whoever attached it: a second one would be a second, incoherent way
// to the same data. Nil where there is none.
func loopOf(image string) (*os.File, error) {
	var wanted unix.Stat_t
	if err := unix.Stat(image, &wanted); err != nil {
		return nil, &os.PathError{Op: "stat", Path: image, Err: err}
	}
	devices, err := filepath.Glob("/dev/loop[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, path := range devices {
		device, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		status, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
		if err == nil && status.Device == wanted.Dev && status.Inode == wanted.Ino {
			return device, nil
		}
		device.Close()
	}
	return nil, nil
}

// attachLoop puts an image behind a loop device, which goes by itself once the last mount of it is gone and the file that is
// returned is closed.
func attachLoop(image string) (*os.File, error) {
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for range 100 {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("no free loop device: %w", err)
		}
		device, err := openLoop(number)
		if err != nil {
			return nil, err
		}
		configuration := unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		copy(configuration.Info.File_name[:len(configuration.Info.File_name)-1], image)
		err = unix.IoctlLoopConfigure(int(device.Fd()), &configuration)
		if err == nil {
			return device, nil
		}
		device.Close()
		// Somebody else was faster.
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("%s behind %s: %w", image, device.Name(), err)
		}
	}
	return nil, fmt.Errorf("no loop device for %s: others were always faster", image)
}
