package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/longhorn/backupstore"
	"github.com/longhorn/backupstore/util"
	lhbackup "github.com/longhorn/go-common-libs/backup"
)

// madeBackup is a line that write prints.
type madeBackup struct {
	Volume      string `json:"volume"`
	Backup      string `json:"backup"`
	Incremental bool   `json:"incremental"`
	Uploaded    int64  `json:"uploaded"` // bytes of blocks, compressed, that the store did not have yet
}

// write makes the backups of one volume one after the other, and works on all volumes at once: for every backup the library
// waits two seconds to see whether somebody else has locked the volume.
func write(target store, wanted spec, lines *json.Encoder) error {
	problems := make([]error, len(wanted.Volumes))
	made := make([][]madeBackup, len(wanted.Volumes))
	var group sync.WaitGroup
	for index, volume := range wanted.Volumes {
		group.Go(func() {
			made[index], problems[index] = writeVolume(target, volume)
		})
	}
	group.Wait()
	for _, backups := range made {
		for _, backup := range backups {
			if err := lines.Encode(backup); err != nil {
				return err
			}
		}
	}
	return errors.Join(problems...)
}

func writeVolume(target store, volume volumeSpec) ([]madeBackup, error) {
	var made []madeBackup
	present, err := presentBackups(target, volume.Name)
	if err != nil {
		return nil, err
	}
	for _, backup := range volume.Backups {
		if present[backup.Name] {
			continue
		}
		written, err := writeBackup(target, volume, backup)
		if err != nil {
			return made, fmt.Errorf("volume %s, backup %s: %w", volume.Name, backup.Name, err)
		}
		made = append(made, madeBackup{
			Volume:      volume.Name,
			Backup:      backup.Name,
			Incremental: written.IsIncremental,
			Uploaded:    written.NewlyUploadedDataSize,
		})
	}
	return made, nil
}

func presentBackups(target store, volume string) (map[string]bool, error) {
	present := map[string]bool{}
	volumes, err := backupstore.List(volume, target.url(), false)
	if err != nil {
		return nil, err
	}
	if info := volumes[volume]; info != nil {
		for name := range info.Backups {
			present[name] = true
		}
	}
	return present, nil
}

func writeBackup(target store, volume volumeSpec, backup backupSpec) (*backupstore.Backup, error) {
	labels := map[string]string{"longhorn.io/volume-access-mode": volume.AccessMode}
	if volume.KubernetesStatus != nil {
		status, err := json.Marshal(volume.KubernetesStatus)
		if err != nil {
			return nil, err
		}
		labels["KubernetesStatus"] = string(status)
	}
	created := backup.Created.UTC().Format(time.RFC3339)
	content := &generatedVolume{name: volume.Name, backup: backup, closed: make(chan struct{})}
	_, err := backupstore.CreateDeltaBlockBackup(backup.Name, &backupstore.DeltaBackupConfig{
		BackupName: backup.Name,
		Volume: &backupstore.Volume{
			Name:              volume.Name,
			Size:              volume.Size,
			Labels:            labels,
			CreatedTime:       created,
			CompressionMethod: volume.Compression,
			StorageClassName:  volume.StorageClass,
			DataEngine:        string(backupstore.DataEngineV1),
		},
		Snapshot:        &backupstore.Snapshot{Name: backup.Snapshot, CreatedTime: created},
		DestURL:         target.url(),
		DeltaOps:        content,
		Labels:          labels,
		ConcurrentLimit: 2, // Longhorn's setting backup-concurrent-limit
		Parameters: map[string]string{
			lhbackup.LonghornBackupParameterBackupMode:      string(lhbackup.LonghornBackupModeIncremental),
			lhbackup.LonghornBackupParameterBackupBlockSize: strconv.FormatInt(blockSize, 10),
		},
	})
	if err != nil {
		return nil, err
	}
	<-content.closed
	if content.failed != nil {
		return nil, content.failed
	}
	return backdate(target, volume.Name, backup.Name, created)
}

// backdate replaces the one time that the library takes from the clock.
func backdate(target store, volume, backup, created string) (*backupstore.Backup, error) {
	driver, err := backupstore.GetBackupStoreDriver(target.url())
	if err != nil {
		return nil, err
	}
	file := path.Join(volumeFolder(volume), backupstore.BACKUP_DIRECTORY, backupstore.BACKUP_CONFIG_PREFIX+backup+backupstore.CFG_SUFFIX)
	written := &backupstore.Backup{}
	if err := backupstore.LoadConfigInBackupStore(driver, file, written); err != nil {
		return nil, err
	}
	written.CreatedTime = created
	return written, backupstore.SaveConfigInBackupStore(driver, file, written)
}

// volumeFolder is where the library keeps a volume, in the store.
func volumeFolder(volume string) string {
	checksum := util.GetChecksum([]byte(volume))
	first, second := backupstore.VOLUME_SEPARATE_LAYER1, backupstore.VOLUME_SEPARATE_LAYER2
	return path.Join(backupstore.GetBackupstoreBase(), backupstore.VOLUME_DIRECTORY, checksum[:first], checksum[first:second], volume)
}
