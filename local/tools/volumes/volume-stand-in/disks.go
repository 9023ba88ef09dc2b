package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	imageName = "disk.img"
	// usedName is a file beside an image that was ever mounted: nothing is restored over it.
	usedName = "used"
	// restoredName is a file with the name of the backup that an image was restored from.
	restoredName    = "restored"
	snapshotsFolder = "snapshots"
	snapshotSuffix  = ".img"
	// dataFolder is the folder of a file system that pods get. Not its root: the kubelet does not let go of a volume while
	// something else that it sees has the same root mounted, and it sees where attached volumes are mounted
	// (hasMountRefs in pkg/volume/util/operationexecutor).
	dataFolder = "data"
	// unfinishedPrefix begins the name of what was not finished; it is removed at the next start.
	unfinishedPrefix = ".unfinished-"
)

// disks are the volumes of all nodes: `volumes/<name>/disk.img` and its snapshots, and in `incoming` what is being restored.
type disks struct {
	directory, mounts string
	uid, gid          int
	guard             sync.Mutex
	locks             map[string]*sync.Mutex
}

// conflict is a refusal: the volume is not in a state for what was asked.
type conflict struct{ error }

// otherData is said of an image that holds something else than a file system of ours.
type otherData struct{ error }

// absent is said of a volume that does not exist.
type absent struct{ error }

type volumeState struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // bytes
	Held int64  `json:"held"` // bytes that the image takes
	// FileSystem is bytes of the file system, 0 where there is none. It may follow Size only when the volume is attached anew.
	FileSystem int64 `json:"fileSystem"`
	// Mounted says whether nodes can mount it.
	Mounted bool `json:"mounted"`
	// InUse says whether its loop device is there: a node may still have it mounted when Mounted is false.
	InUse     bool            `json:"inUse"`
	Restored  string          `json:"restored"` // the backup that it was restored from
	Folder    string          `json:"folder"`   // of its snapshots, each as <name>.img
	Snapshots []snapshotState `json:"snapshots"`
}

type snapshotState struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
	Size      int64     `json:"size"` // bytes that it takes
}

// openDisks takes up what an earlier process has left in this namespace: mounts stay, what is unfinished goes.
func openDisks(directory, mounts string, uid, gid int) (*disks, error) {
	d := &disks{directory: directory, mounts: mounts, uid: uid, gid: gid, locks: map[string]*sync.Mutex{}}
	for _, folder := range []string{d.path(), filepath.Join(directory, "incoming")} {
		if err := d.makeFolder(folder); err != nil {
			return nil, err
		}
	}
	if err := shareMounts(mounts); err != nil {
		return nil, err
	}
	for _, pattern := range []string{"volumes/" + unfinishedPrefix + "*", "volumes/*/" + unfinishedPrefix + "*", "volumes/*/" + snapshotsFolder + "/" + unfinishedPrefix + "*", "incoming/*"} {
		found, err := filepath.Glob(filepath.Join(directory, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				return nil, err
			}
		}
	}
	points, err := mountPoints()
	if err != nil {
		return nil, err
	}
	for point := range points {
		if filepath.Dir(point) == mounts {
			if err := thaw(point); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

func (d *disks) path(elements ...string) string {
	return filepath.Join(append([]string{d.directory, "volumes"}, elements...)...)
}

func (d *disks) image(volume string) string { return d.path(volume, imageName) }

func (d *disks) mountPoint(volume string) string { return filepath.Join(d.mounts, volume) }

func (d *disks) snapshotPath(volume, snapshot string) string {
	return d.path(volume, snapshotsFolder, snapshot+snapshotSuffix)
}

func (d *disks) makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o711); err != nil {
		return err
	}
	return os.Chown(path, d.uid, d.gid)
}

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// checkName refuses what is no Kubernetes name: names become paths.
func checkName(name string) error {
	if len(name) > 200 || !validName.MatchString(name) || strings.Contains(name, "..") {
		return conflict{fmt.Errorf("%q is no name of a volume, snapshot or backup", name)}
	}
	return nil
}

// lock keeps others from a volume until it is unlocked.
func (d *disks) lock(volume string) *sync.Mutex {
	d.guard.Lock()
	own := d.locks[volume]
	if own == nil {
		own = &sync.Mutex{}
		d.locks[volume] = own
	}
	d.guard.Unlock()
	own.Lock()
	return own
}

func (d *disks) require(volume string) error {
	if _, err := os.Stat(d.image(volume)); errors.Is(err, fs.ErrNotExist) {
		return absent{fmt.Errorf("there is no volume %s", volume)}
	} else if err != nil {
		return err
	}
	return nil
}

// list says what there is.
func (d *disks) list() ([]volumeState, error) {
	entries, err := os.ReadDir(d.path())
	if err != nil {
		return nil, err
	}
	states := []volumeState{}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		state, err := d.state(entry.Name())
		var missing absent
		if errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

func (d *disks) state(volume string) (volumeState, error) {
	if err := d.require(volume); err != nil {
		return volumeState{}, err
	}
	var image unix.Stat_t
	if err := unix.Stat(d.image(volume), &image); err != nil {
		return volumeState{}, err
	}
	mounted, err := isMountPoint(d.mountPoint(volume))
	if err != nil {
		return volumeState{}, err
	}
	device, err := loopOf(d.image(volume))
	if err != nil {
		return volumeState{}, err
	}
	// What the kernel has written to the device may not be in the image yet.
	current := d.image(volume)
	if device != nil {
		defer device.Close()
		current = device.Name()
	}
	fileSystem, err := sizeOrNone(d.image(volume), current)
	if err != nil {
		return volumeState{}, err
	}
	restored, err := os.ReadFile(d.path(volume, restoredName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return volumeState{}, err
	}
	state := volumeState{
		Name: volume, Size: image.Size, Held: image.Blocks * 512, FileSystem: fileSystem, Mounted: mounted,
		InUse: device != nil, Restored: string(restored), Folder: d.path(volume, snapshotsFolder), Snapshots: []snapshotState{},
	}
	entries, err := os.ReadDir(d.path(volume, snapshotsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return volumeState{}, err
	}
	for _, entry := range entries {
		if name, found := strings.CutSuffix(entry.Name(), snapshotSuffix); found && !strings.HasPrefix(name, ".") {
			snapshot, err := d.snapshotState(volume, name)
			if err != nil {
				return volumeState{}, err
			}
			state.Snapshots = append(state.Snapshots, snapshot)
		}
	}
	return state, nil
}

func (d *disks) snapshotState(volume, snapshot string) (snapshotState, error) {
	var file unix.Stat_t
	path := d.snapshotPath(volume, snapshot)
	if err := unix.Stat(path, &file); err != nil {
		return snapshotState{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return snapshotState{Name: snapshot, CreatedAt: time.Unix(file.Mtim.Unix()).UTC().Truncate(time.Second), Size: file.Blocks * 512}, nil
}

// sizeOrNone is the size of the file system of an image that is read at `current`; 0 of a blank one, and of other data.
func sizeOrNone(image, current string) (int64, error) {
	blank, err := isBlank(image)
	if err != nil || blank {
		return 0, err
	}
	size, err := fileSystemSize(current)
	if errors.As(err, new(otherData)) {
		return 0, nil
	}
	return size, err
}

// ensure makes a volume of a size in bytes, or enlarges it. None ever gets smaller.
func (d *disks) ensure(volume string, size int64) (volumeState, error) {
	defer d.lock(volume).Unlock()
	if size <= 0 {
		return volumeState{}, conflict{fmt.Errorf("volume %s: %d is no size in bytes", volume, size)}
	}
	information, err := os.Stat(d.image(volume))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := d.create(volume, func(image *os.File) error { return image.Truncate(size) }, ""); err != nil {
			return volumeState{}, err
		}
	case err != nil:
		return volumeState{}, err
	case information.Size() < size:
		if err := os.Truncate(d.image(volume), size); err != nil {
			return volumeState{}, err
		}
		if err := d.grow(volume); err != nil {
			return volumeState{}, err
		}
	}
	return d.state(volume)
}

// create makes a volume that is whole from the moment when it is there.
func (d *disks) create(volume string, write func(*os.File) error, restored string) error {
	unfinished := d.path(unfinishedPrefix + volume)
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := d.makeFolder(filepath.Join(unfinished, snapshotsFolder)); err != nil {
		return err
	}
	if err := d.makeFolder(unfinished); err != nil {
		return err
	}
	if err := d.replaceFile(filepath.Join(unfinished, imageName), write); err != nil {
		return err
	}
	if restored != "" {
		if err := d.writeText(filepath.Join(unfinished, restoredName), restored); err != nil {
			return err
		}
	}
	if err := os.Rename(unfinished, d.path(volume)); err != nil {
		return err
	}
	return syncFolder(d.path())
}

func (d *disks) writeText(path, text string) error {
	return d.replaceFile(path, func(file *os.File) error {
		_, err := file.WriteString(text)
		return err
	})
}

// grow makes device and file system of a mounted volume as large as its image. Of another, attach does it.
func (d *disks) grow(volume string) error {
	device, err := loopOf(d.image(volume))
	if err != nil || device == nil {
		return err
	}
	defer device.Close()
	if err := unix.IoctlSetInt(int(device.Fd()), unix.LOOP_SET_CAPACITY, 0); err != nil {
		return fmt.Errorf("capacity of %s: %w", device.Name(), err)
	}
	mounted, err := isMountPoint(d.mountPoint(volume))
	if err != nil || !mounted {
		return err
	}
	information, err := os.Stat(d.image(volume))
	if err != nil {
		return err
	}
	size, err := fileSystemSize(device.Name())
	if err != nil || information.Size()-size < smallestGrowth {
		return err
	}
	if may, err := mayGrowMounted(); err != nil || !may {
		log.Printf("volume %s grows when it is attached the next time: this process lacks CAP_SYS_RESOURCE", volume)
		return err
	}
	return command("resize2fs", device.Name())
}

// resize is grow for a node that is told of a larger volume.
func (d *disks) resize(volume string) (volumeState, error) {
	defer d.lock(volume).Unlock()
	if err := d.require(volume); err != nil {
		return volumeState{}, err
	}
	if err := d.grow(volume); err != nil {
		return volumeState{}, err
	}
	return d.state(volume)
}

// attach mounts a volume where nodes see it.
func (d *disks) attach(volume string) (volumeState, error) {
	defer d.lock(volume).Unlock()
	if err := d.require(volume); err != nil {
		return volumeState{}, err
	}
	mounted, err := isMountPoint(d.mountPoint(volume))
	if err != nil {
		return volumeState{}, err
	}
	if !mounted {
		if err := d.mount(volume); err != nil {
			return volumeState{}, err
		}
	}
	return d.state(volume)
}

func (d *disks) mount(volume string) error {
	image, point := d.image(volume), d.mountPoint(volume)
	device, err := loopOf(image)
	if err != nil {
		return err
	}
	if device == nil {
		blank, err := isBlank(image)
		if err == nil && blank {
			err = d.format(image)
		}
		if err == nil {
			_, err = fileSystemSize(image)
		}
		if err == nil {
			err = repair(image)
		}
		if err == nil {
			err = growUnused(image)
		}
		if err != nil {
			return err
		}
		if device, err = attachLoop(image); err != nil {
			return err
		}
	}
	defer device.Close()
	// From now on this data is somebody's.
	if err := d.writeText(d.path(volume, usedName), ""); err != nil {
		return err
	}
	if err := os.MkdirAll(point, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(device.Name(), point, "ext4", 0, ""); err != nil {
		return errors.Join(fmt.Errorf("mount %s on %s: %w", device.Name(), point, err), os.Remove(point))
	}
	if err := thaw(point); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(point, dataFolder), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.grow(volume)
}

// detach takes a volume away from the nodes. One that still has it mounted keeps it until it lets go.
func (d *disks) detach(volume string) (volumeState, error) {
	defer d.lock(volume).Unlock()
	if err := d.require(volume); err != nil {
		return volumeState{}, err
	}
	err := unmountAll(d.mountPoint(volume))
	if errors.Is(err, unix.EBUSY) {
		return volumeState{}, conflict{err}
	}
	if err != nil {
		return volumeState{}, err
	}
	return d.state(volume)
}

// remove deletes a volume and its snapshots. One that does not exist is removed already.
func (d *disks) remove(volume string) error {
	defer d.lock(volume).Unlock()
	var missing absent
	if err := d.requireUnused(volume); errors.As(err, &missing) {
		return nil
	} else if err != nil {
		return err
	}
	unfinished := d.path(unfinishedPrefix + volume)
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.Rename(d.path(volume), unfinished); err != nil {
		return err
	}
	if err := syncFolder(d.path()); err != nil {
		return err
	}
	return os.RemoveAll(unfinished)
}

func (d *disks) requireUnused(volume string) error {
	state, err := d.state(volume)
	if err != nil {
		return err
	}
	if state.InUse {
		return conflict{fmt.Errorf("volume %s is in use", volume)}
	}
	return nil
}

// snapshot copies a volume as it is at one moment, unless there is a snapshot of this name.
func (d *disks) snapshot(volume, snapshot string) (snapshotState, error) {
	defer d.lock(volume).Unlock()
	if err := d.require(volume); err != nil {
		return snapshotState{}, err
	}
	path := d.snapshotPath(volume, snapshot)
	if _, err := os.Stat(path); err == nil {
		return d.snapshotState(volume, snapshot)
	}
	mounted, err := isMountPoint(d.mountPoint(volume))
	if err != nil {
		return snapshotState{}, err
	}
	if !mounted {
		// Nobody could be kept from writing.
		if err := d.requireUnused(volume); err != nil {
			return snapshotState{}, err
		}
	}
	image, err := os.Open(d.image(volume))
	if err != nil {
		return snapshotState{}, err
	}
	defer image.Close()
	err = d.replaceFile(path, func(file *os.File) error {
		var at time.Time
		copyImage := func() error {
			at = time.Now()
			information, err := image.Stat()
			if err != nil {
				return err
			}
			return copySparse(file, image, information.Size())
		}
		var err error
		if mounted {
			err = frozen(d.mountPoint(volume), copyImage)
		} else {
			err = copyImage()
		}
		if err != nil {
			return err
		}
		return os.Chtimes(file.Name(), at, at)
	})
	if err != nil {
		return snapshotState{}, err
	}
	return d.snapshotState(volume, snapshot)
}

// removeSnapshot deletes a snapshot, if it is there.
func (d *disks) removeSnapshot(volume, snapshot string) error {
	defer d.lock(volume).Unlock()
	if err := os.Remove(d.snapshotPath(volume, snapshot)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// incoming names a new file that a backup may be restored into, for `commit` to take.
func (d *disks) incoming(volume string) (string, error) {
	defer d.lock(volume).Unlock()
	if err := d.requireRestorable(volume); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(filepath.Join(d.directory, "incoming"), volume+"-")
	if err != nil {
		return "", err
	}
	defer file.Close()
	return file.Name(), file.Chown(d.uid, d.gid)
}

// requireRestorable refuses to put anything in the place of data that somebody has used.
func (d *disks) requireRestorable(volume string) error {
	if _, err := os.Stat(d.path(volume, usedName)); err == nil {
		return conflict{fmt.Errorf("volume %s was in use before: nothing is restored over it", volume)}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// commit makes a restored file the volume.
func (d *disks) commit(volume, path, backup string) (volumeState, error) {
	defer d.lock(volume).Unlock()
	if filepath.Dir(path) != filepath.Join(d.directory, "incoming") {
		return volumeState{}, conflict{fmt.Errorf("%s is not among what is being restored", path)}
	}
	if err := d.requireRestorable(volume); err != nil {
		return volumeState{}, err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return volumeState{}, err
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		return volumeState{}, err
	}
	switch err := d.require(volume); {
	case errors.As(err, new(absent)):
		// The empty file is replaced at once, still under a name that says it is unfinished.
		err := d.create(volume, func(image *os.File) error { return os.Rename(path, image.Name()) }, backup)
		if err != nil {
			return volumeState{}, err
		}
	case err != nil:
		return volumeState{}, err
	default:
		// In this order: after a power cut in between, it is restored once more.
		if err := os.Rename(path, d.image(volume)); err != nil {
			return volumeState{}, err
		}
		if err := syncFolder(d.path(volume)); err != nil {
			return volumeState{}, err
		}
		if err := d.writeText(d.path(volume, restoredName), backup); err != nil {
			return volumeState{}, err
		}
	}
	return d.state(volume)
}
