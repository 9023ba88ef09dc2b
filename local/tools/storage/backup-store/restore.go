package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/longhorn/backupstore"
)

// restoredBackup is the line that restore prints.
type restoredBackup struct {
	Volume string `json:"volume"`
	Backup string `json:"backup"`
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // of the whole volume, holes as zeroes
}

// restore reads a backup into a temporary sparse file.
func restore(target store, volume, backup string, lines *json.Encoder) error {
	folder, err := os.MkdirTemp("", "backup-store-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "volume")
	if err := restoreInto(target, volume, backup, file); err != nil {
		return err
	}
	if err := waitUntilUnlocked(target, volume); err != nil {
		return err
	}
	data, err := os.Open(file)
	if err != nil {
		return err
	}
	defer data.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, data)
	if err != nil {
		return err
	}
	return lines.Encode(restoredBackup{Volume: volume, Backup: backup, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))})
}

// restoreInto reads a backup into a sparse file of the volume's size.
func restoreInto(target store, volume, backup, file string) error {
	disk := &restoredDisk{ended: make(chan error, 1), stop: make(chan struct{})}
	err := backupstore.RestoreDeltaBlockBackup(context.Background(), &backupstore.DeltaRestoreConfig{
		BackupURL:       backupstore.EncodeBackupURL(backup, volume, target.url()),
		DeltaOps:        disk,
		Filename:        file,
		ConcurrentLimit: 2, // Longhorn's setting restore-concurrent-limit
	})
	if err != nil {
		return err
	}
	return <-disk.ended
}

// unlockIfAlone is waitUntilUnlocked where others may work on the same volume, or a killed process has left its lock: such
// a lock expires by itself, and keeps off nothing but deletions.
func unlockIfAlone(target store, volume string) {
	if err := waitUntilUnlocked(target, volume); err != nil {
		fmt.Fprintln(os.Stderr, "backup-store:", err)
	}
}

// waitUntilUnlocked waits until the library has removed its lock, which it does after it reports success.
func waitUntilUnlocked(target store, volume string) error {
	driver, err := backupstore.GetBackupStoreDriver(target.url())
	if err != nil {
		return err
	}
	for range 100 {
		// S3 has no empty folders: the listing may fail once the last lock is gone.
		if locks, err := driver.List(path.Join(volumeFolder(volume), backupstore.LOCKS_DIRECTORY) + "/"); err != nil || len(locks) == 0 {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("volume %s stays locked", volume)
}

// restoredDisk is a file in place of a volume's device.
type restoredDisk struct {
	closed bool
	ended  chan error
	stop   chan struct{}
}

func (d *restoredDisk) OpenVolumeDev(name string) (*os.File, string, error) {
	file, err := os.Create(name)
	return file, name, err
}

func (d *restoredDisk) CloseVolumeDev(file *os.File) error {
	d.closed = true
	return file.Close()
}

// UpdateRestoreStatus is called with the progress, and a last time after the device was closed.
func (d *restoredDisk) UpdateRestoreStatus(_ string, _ int, err error) {
	if d.closed {
		d.ended <- err
	}
}

func (d *restoredDisk) Stop() {
	close(d.stop)
}

func (d *restoredDisk) GetStopChan() chan struct{} {
	return d.stop
}
