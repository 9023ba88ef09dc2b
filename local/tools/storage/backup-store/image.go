package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/longhorn/backupstore"
	"github.com/longhorn/backupstore/types"
	lhbackup "github.com/longhorn/go-common-libs/backup"
	"golang.org/x/sys/unix"
)

// imageSuffix is how volume-stand-in ends the name of a snapshot's file.
const imageSuffix = ".img"

// imageBackup is what backup reads: a snapshot of a volume that exists, as a sparse file.
type imageBackup struct {
	Name         string            `json:"name"`
	Volume       string            `json:"volume"`
	Size         int64             `json:"size"` // bytes of the volume, a multiple of BlockSize
	StorageClass string            `json:"storageClass"`
	Compression  string            `json:"compression"` // lz4, gzip or none
	BlockSize    int64             `json:"blockSize"`   // bytes: 2 or 16 MiB
	Labels       map[string]string `json:"labels"`
	Snapshot     string            `json:"snapshot"`
	// SnapshotCreated is when the snapshot was taken.
	SnapshotCreated time.Time `json:"snapshotCreated"`
	// Folder has the volume's snapshots, each as `<name>.img`.
	Folder string `json:"folder"`
}

// storedBackup is a line that list prints, and backup of what it made.
type storedBackup struct {
	Name              string            `json:"name"`
	Volume            string            `json:"volume"`
	Snapshot          string            `json:"snapshot"`
	SnapshotCreatedAt string            `json:"snapshotCreatedAt"`
	CreatedAt         string            `json:"createdAt"`
	Size              int64             `json:"size"`     // bytes of blocks that it consists of
	Uploaded          int64             `json:"uploaded"` // bytes, compressed, that the store did not have yet
	VolumeSize        int64             `json:"volumeSize"`
	StorageClass      string            `json:"storageClass"`
	Labels            map[string]string `json:"labels"`
	BlockSize         int64             `json:"blockSize"`
	Incremental       bool              `json:"incremental"`
}

// backupImage makes the backup, unless there is one of this name.
func backupImage(target store, input io.Reader, lines *json.Encoder) error {
	var wanted imageBackup
	decoder := json.NewDecoder(input)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		return fmt.Errorf("the backup on standard input: %w", err)
	}
	if wanted.BlockSize <= 0 || wanted.Size <= 0 || wanted.Size%wanted.BlockSize != 0 {
		return fmt.Errorf("volume %q: its size %d is no multiple of its block size %d", wanted.Volume, wanted.Size, wanted.BlockSize)
	}
	if present, err := inspect(target, wanted.Volume, wanted.Name); err == nil {
		return lines.Encode(present)
	}
	snapshots := &imageSnapshots{folder: wanted.Folder, size: wanted.Size, closed: make(chan struct{})}
	created := wanted.SnapshotCreated.UTC().Format(time.RFC3339)
	_, err := backupstore.CreateDeltaBlockBackup(wanted.Name, &backupstore.DeltaBackupConfig{
		BackupName: wanted.Name,
		Volume: &backupstore.Volume{
			Name:              wanted.Volume,
			Size:              wanted.Size,
			Labels:            wanted.Labels,
			CreatedTime:       created,
			CompressionMethod: wanted.Compression,
			StorageClassName:  wanted.StorageClass,
			DataEngine:        string(backupstore.DataEngineV1),
		},
		Snapshot:        &backupstore.Snapshot{Name: wanted.Snapshot, CreatedTime: created},
		DestURL:         target.url(),
		DeltaOps:        snapshots,
		Labels:          wanted.Labels,
		ConcurrentLimit: 2, // Longhorn's setting backup-concurrent-limit
		Parameters: map[string]string{
			lhbackup.LonghornBackupParameterBackupMode:      string(lhbackup.LonghornBackupModeIncremental),
			lhbackup.LonghornBackupParameterBackupBlockSize: strconv.FormatInt(wanted.BlockSize, 10),
		},
	})
	if err != nil {
		return err
	}
	<-snapshots.closed
	if snapshots.failed != nil {
		return snapshots.failed
	}
	unlockIfAlone(target, wanted.Volume)
	made, err := inspect(target, wanted.Volume, wanted.Name)
	if err != nil {
		return err
	}
	return lines.Encode(made)
}

func inspect(target store, volume, backup string) (storedBackup, error) {
	found, err := backupstore.InspectBackup(backupstore.EncodeBackupURL(backup, volume, target.url()))
	if err != nil {
		return storedBackup{}, err
	}
	information, err := backupstore.InspectVolume(backupstore.EncodeBackupURL("", volume, target.url()))
	if err != nil {
		return storedBackup{}, err
	}
	blockSize := blockSize
	if text := found.Parameters[lhbackup.LonghornBackupParameterBackupBlockSize]; text != "" {
		if blockSize, err = strconv.ParseInt(text, 10, 64); err != nil {
			return storedBackup{}, fmt.Errorf("backup %s: its block size: %w", backup, err)
		}
	}
	return storedBackup{
		Name: found.Name, Volume: volume, Snapshot: found.SnapshotName, SnapshotCreatedAt: found.SnapshotCreated,
		CreatedAt: found.Created, Size: found.Size, Uploaded: found.NewlyUploadedDataSize, VolumeSize: found.VolumeSize,
		StorageClass: information.StorageClassname, Labels: found.Labels, BlockSize: blockSize, Incremental: found.IsIncremental,
	}, nil
}

// list prints every complete backup of a store.
func list(target store, lines *json.Encoder) error {
	volumes, err := backupstore.List("", target.url(), false)
	if err != nil {
		return err
	}
	for volume, information := range volumes {
		for backup := range information.Backups {
			found, err := inspect(target, volume, backup)
			if err != nil {
				// One that is being made, or whose files are damaged: Longhorn lists neither.
				fmt.Fprintf(os.Stderr, "backup-store: volume %s, backup %s: %v\n", volume, backup, err)
				continue
			}
			if err := lines.Encode(found); err != nil {
				return err
			}
		}
	}
	return nil
}

// imageSnapshots are the snapshots of one volume, which the library reads in place of a replica.
type imageSnapshots struct {
	folder string
	size   int64
	open   *os.File
	failed error
	closed chan struct{}
}

func (s *imageSnapshots) path(snapshot string) string {
	return filepath.Join(s.folder, snapshot+imageSuffix)
}

func (s *imageSnapshots) HasSnapshot(snapshot, _ string) bool {
	_, err := os.Stat(s.path(snapshot))
	return err == nil
}

func (s *imageSnapshots) OpenSnapshot(snapshot, _ string) (err error) {
	s.open, err = os.Open(s.path(snapshot))
	return err
}

// CloseSnapshot is the last thing that the library calls.
func (s *imageSnapshots) CloseSnapshot(string, string) error {
	close(s.closed)
	return s.open.Close()
}

// CompareSnapshot finds the blocks that differ from an older snapshot; without one, those that are not all zeroes.
func (s *imageSnapshots) CompareSnapshot(_, older, _ string, size int64) (*types.Mappings, error) {
	mappings := types.Mappings{BlockSize: size}
	with := make([]*os.File, 0, 2)
	with = append(with, s.open)
	if older != "" {
		before, err := os.Open(s.path(older))
		if err != nil {
			return nil, err
		}
		defer before.Close()
		with = append(with, before)
	}
	now, then, zeroes := make([]byte, size), make([]byte, size), make([]byte, size)
	for offset := int64(0); offset < s.size; offset += size {
		// In a hole of both nothing can differ.
		next, err := nextData(with, offset)
		if err != nil {
			return nil, err
		}
		if next < 0 || next >= s.size {
			break
		}
		offset = next / size * size
		if err := readBlock(s.open, now, offset); err != nil {
			return nil, err
		}
		compared := zeroes
		if len(with) > 1 {
			if err := readBlock(with[1], then, offset); err != nil {
				return nil, err
			}
			compared = then
		}
		if !bytes.Equal(now, compared) {
			mappings.Mappings = append(mappings.Mappings, types.Mapping{Offset: offset, Size: size})
		}
	}
	return &mappings, nil
}

// nextData is where the first data of any of the files is, at or after an offset; -1 where there is none.
func nextData(files []*os.File, offset int64) (int64, error) {
	first := int64(-1)
	for _, file := range files {
		found, err := unix.Seek(int(file.Fd()), offset, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			continue
		}
		if err != nil {
			return 0, &os.PathError{Op: "seek data", Path: file.Name(), Err: err}
		}
		if first < 0 || found < first {
			first = found
		}
	}
	return first, nil
}

// readBlock reads a block; what is behind the end of the file, as of one from before the volume grew, is zeroes.
func readBlock(file *os.File, block []byte, offset int64) error {
	count, err := file.ReadAt(block, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	clear(block[count:])
	return nil
}

func (s *imageSnapshots) ReadSnapshot(_, _ string, start int64, data []byte) error {
	return readBlock(s.open, data, start)
}

func (s *imageSnapshots) UpdateBackupStatus(_, _, _ string, _ int, _ string, problem string) error {
	if problem != "" {
		s.failed = errors.New(problem)
	}
	return nil
}
