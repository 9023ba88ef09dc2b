package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// copyUnit is how much of an image is looked at to tell a hole that was written as zeroes.
const copyUnit = 64 * 1024

// dataRange is a part of a sparse file that is no hole.
type dataRange struct{ start, end int64 }

// nextData finds the first data at or after an offset; false where only holes follow.
func nextData(file *os.File, offset int64) (dataRange, bool, error) {
	start, err := unix.Seek(int(file.Fd()), offset, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return dataRange{}, false, nil
	}
	if err != nil {
		return dataRange{}, false, &os.PathError{Op: "seek data", Path: file.Name(), Err: err}
	}
	end, err := unix.Seek(int(file.Fd()), start, unix.SEEK_HOLE)
	if err != nil {
		return dataRange{}, false, &os.PathError{Op: "seek hole", Path: file.Name(), Err: err}
	}
	return dataRange{start, end}, true, nil
}

// copySparse copies a file of a certain size: as a clone where the file system can, else its data without the holes.
func copySparse(to, from *os.File, size int64) error {
	if err := unix.IoctlFileClone(int(to.Fd()), int(from.Fd())); err == nil {
		return nil
	}
	if err := to.Truncate(size); err != nil {
		return err
	}
	buffer := make([]byte, 16*copyUnit)
	zeroes := make([]byte, copyUnit)
	for offset := int64(0); offset < size; {
		data, found, err := nextData(from, offset)
		if err != nil {
			return err
		}
		if !found {
			break
		}
		end := min(data.end, size)
		for offset = data.start; offset < end; {
			part := buffer[:min(int64(len(buffer)), end-offset)]
			if _, err := from.ReadAt(part, offset); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			for start := 0; start < len(part); start += copyUnit {
				unit := part[start:min(start+copyUnit, len(part))]
				if bytes.Equal(unit, zeroes[:len(unit)]) {
					continue
				}
				if _, err := to.WriteAt(unit, offset+int64(start)); err != nil {
					return err
				}
			}
			offset += int64(len(part))
		}
	}
	return nil
}

// isBlank says whether an image has no data at all, as a new one.
func isBlank(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	_, found, err := nextData(file, 0)
	return !found, err
}

// fileSystemSize is how many bytes the ext4 file system of an image or device takes. It refuses what holds something else.
// Offsets and magic number: struct ext4_super_block in the kernel's Documentation/filesystems/ext4/super.rst.
func fileSystemSize(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	block := make([]byte, 1024)
	if _, err := file.ReadAt(block, 1024); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	number := binary.LittleEndian.Uint32
	if binary.LittleEndian.Uint16(block[0x38:]) != 0xEF53 {
		return 0, otherData{fmt.Errorf("%s holds data and no ext4 file system: it is left alone", path)}
	}
	blocks := int64(number(block[0x4:]))
	if number(block[0x60:])&0x80 != 0 { // the feature 64bit
		blocks |= int64(number(block[0x150:])) << 32
	}
	return blocks << (10 + number(block[0x18:])), nil
}

// format makes the file system of a blank image, with no blocks kept back for root, as Longhorn's driver does. An image is
// replaced once its file system is complete.
func (d *disks) format(image string) error {
	information, err := os.Stat(image)
	if err != nil {
		return err
	}
	return d.replaceFile(image, func(file *os.File) error {
		if err := file.Truncate(information.Size()); err != nil {
			return err
		}
		return command("mkfs.ext4", "-F", "-q", "-m", "0", file.Name())
	})
}

// repair checks the file system of an image that nobody uses, and replays its journal.
func repair(image string) error {
	output, err := tool("e2fsck", "-p", image).CombinedOutput()
	var exit *exec.ExitError
	// e2fsck(8): 1 is errors that were corrected.
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("e2fsck -p %s: %w: %s", image, err, bytes.TrimSpace(output))
	}
	return nil
}

// growUnused makes the file system of an image that nobody uses as large as the image.
func growUnused(image string) error {
	information, err := os.Stat(image)
	if err != nil {
		return err
	}
	size, err := fileSystemSize(image)
	if err != nil || information.Size()-size < smallestGrowth {
		return err
	}
	// resize2fs(8) wants a whole check first; 1 is errors that were corrected.
	if output, err := tool("e2fsck", "-f", "-p", image).CombinedOutput(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			return fmt.Errorf("e2fsck -f -p %s: %w: %s", image, err, bytes.TrimSpace(output))
		}
	}
	return command("resize2fs", image)
}

// smallestGrowth is less than what a volume grows by, and more than what does not make a whole block.
const smallestGrowth = 64 * 1024

// mayGrowMounted says whether this process may enlarge a mounted file system: the kernel wants CAP_SYS_RESOURCE, bit 24
// (fs/ext4/resize.c, ext4_resize_begin; include/uapi/linux/capability.h), which some containers' root has not.
func mayGrowMounted() (bool, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(text)) {
		if mask, found := strings.CutPrefix(line, "CapEff:"); found {
			set, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return set&(1<<unix.CAP_SYS_RESOURCE) != 0, err
		}
	}
	return false, errors.New("/proc/self/status has no CapEff")
}

// replaceFile writes a file under another name and gives it its own once it is on disk.
func (d *disks) replaceFile(path string, write func(*os.File) error) error {
	temporary := filepath.Join(filepath.Dir(path), unfinishedPrefix+filepath.Base(path))
	file, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	err = write(file)
	if err == nil {
		err = file.Chown(d.uid, d.gid)
	}
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes names in a folder outlast a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// tool is a program of e2fsprogs, which Debian keeps outside of the PATH of users.
func tool(name string, arguments ...string) *exec.Cmd {
	for _, folder := range []string{"/usr/sbin", "/sbin"} {
		if path := filepath.Join(folder, name); isFile(path) {
			return exec.Command(path, arguments...)
		}
	}
	return exec.Command(name, arguments...)
}

func isFile(path string) bool {
	information, err := os.Stat(path)
	return err == nil && information.Mode().IsRegular()
}

func command(name string, arguments ...string) error {
	if output, err := tool(name, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(output))
	}
	return nil
}
