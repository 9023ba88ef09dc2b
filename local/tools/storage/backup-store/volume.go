package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/longhorn/backupstore/types"
)

// generatedVolume is a volume with generated content: a block that a snapshot wrote repeats the line
// "<volume> <snapshot> <block>". The library reads it in place of a replica.
type generatedVolume struct {
	name   string
	backup backupSpec
	failed error
	closed chan struct{}
}

func (v *generatedVolume) HasSnapshot(string, string) bool {
	// Any snapshot can be generated, also those of earlier runs.
	return true
}

func (v *generatedVolume) OpenSnapshot(string, string) error {
	return nil
}

// CloseSnapshot is the last thing that the library calls.
func (v *generatedVolume) CloseSnapshot(string, string) error {
	close(v.closed)
	return nil
}

func (v *generatedVolume) CompareSnapshot(_, _, _ string, size int64) (*types.Mappings, error) {
	mappings := types.Mappings{BlockSize: size}
	blocks := slices.Clone(v.backup.Blocks)
	slices.Sort(blocks)
	for _, block := range slices.Compact(blocks) {
		mappings.Mappings = append(mappings.Mappings, types.Mapping{Offset: block * size, Size: size})
	}
	return &mappings, nil
}

func (v *generatedVolume) ReadSnapshot(snapshot, _ string, start int64, data []byte) error {
	line := fmt.Sprintf("%s %s %d\n", v.name, snapshot, start/blockSize)
	copy(data, strings.Repeat(line, len(data)/len(line)+1))
	return nil
}

func (v *generatedVolume) UpdateBackupStatus(_, _, _ string, _ int, _ string, problem string) error {
	if problem != "" {
		v.failed = errors.New(problem)
	}
	return nil
}
