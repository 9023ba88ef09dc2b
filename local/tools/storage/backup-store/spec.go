package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/longhorn/backupstore"
)

// blockSize is that of Longhorn's setting default-backup-block-size: 2 MiB.
const blockSize = int64(backupstore.DEFAULT_BLOCK_SIZE)

type spec struct {
	Volumes []volumeSpec `json:"volumes"`
}

type volumeSpec struct {
	Name         string `json:"name"`
	Size         int64  `json:"size"` // bytes, a multiple of blockSize
	StorageClass string `json:"storageClass"`
	Compression  string `json:"compression"` // lz4, gzip or none
	AccessMode   string `json:"accessMode"`  // rwo or rwx
	// KubernetesStatus is missing for a backup that a system backup made.
	KubernetesStatus *kubernetesStatus `json:"kubernetesStatus"`
	Backups          []backupSpec      `json:"backups"` // in the order in which they are made
}

type backupSpec struct {
	Name     string    `json:"name"`
	Snapshot string    `json:"snapshot"`
	Created  time.Time `json:"created"`
	// Blocks are the numbers of the blocks that were written since the backup before.
	Blocks []int64 `json:"blocks"`
}

// kubernetesStatus is what longhorn-manager 1.12 knows of the claim and the pods of a volume, and writes into the label
// KubernetesStatus of each backup (k8s/pkg/apis/longhorn/v1beta2, KubernetesStatus; api/snapshot.go).
type kubernetesStatus struct {
	PVName          string           `json:"pvName"`
	PVStatus        string           `json:"pvStatus"`
	Namespace       string           `json:"namespace"`
	PVCName         string           `json:"pvcName"`
	LastPVCRefAt    string           `json:"lastPVCRefAt"`
	WorkloadsStatus []workloadStatus `json:"workloadsStatus"`
	LastPodRefAt    string           `json:"lastPodRefAt"`
}

type workloadStatus struct {
	PodName      string `json:"podName"`
	PodStatus    string `json:"podStatus"`
	WorkloadName string `json:"workloadName"`
	WorkloadType string `json:"workloadType"`
}

// readSpec reports everything that is wrong with the spec at once.
func readSpec(input io.Reader) (spec, error) {
	var wanted spec
	decoder := json.NewDecoder(input)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		return spec{}, fmt.Errorf("the spec on standard input: %w", err)
	}
	var problems []error
	for _, volume := range wanted.Volumes {
		problem := func(format string, values ...any) {
			problems = append(problems, fmt.Errorf("volume %q: "+format, append([]any{volume.Name}, values...)...))
		}
		if volume.Size <= 0 || volume.Size%blockSize != 0 {
			problem("the size %d is no multiple of %d", volume.Size, blockSize)
		}
		if volume.Compression != "lz4" && volume.Compression != "gzip" && volume.Compression != "none" {
			problem("the compression is %q, not lz4, gzip or none", volume.Compression)
		}
		if volume.AccessMode != "rwo" && volume.AccessMode != "rwx" {
			problem("the access mode is %q, not rwo or rwx", volume.AccessMode)
		}
		if len(volume.Backups) == 0 {
			problem("it has no backup")
		}
		for _, backup := range volume.Backups {
			if backup.Name == "" || backup.Snapshot == "" || backup.Created.IsZero() {
				problem("backup %q must have a name, a snapshot and the time of its creation", backup.Name)
			}
			if len(backup.Blocks) == 0 {
				problem("backup %q has no block: Longhorn makes none where nothing was written", backup.Name)
			}
			for _, block := range backup.Blocks {
				if block < 0 || block >= volume.Size/blockSize {
					problem("backup %q: block %d is not within the volume", backup.Name, block)
				}
			}
		}
	}
	return wanted, errors.Join(problems...)
}
