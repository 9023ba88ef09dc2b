// Command backup-store writes and reads a backup store with Longhorn's own library. The keys of the S3 server are in
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
//
//	backup-store write   --endpoint URL --region R --bucket B --prefix P < spec.json
//	backup-store restore --endpoint URL --region R --bucket B --prefix P --volume V --backup NAME
//	backup-store restore … --file F
//	backup-store backup  … < backup.json
//	backup-store list    …
//	backup-store remove  … --volume V --backup NAME
//	backup-store remove-volume … --volume V
//
// write makes the backups of spec.json (see spec.go) that do not exist yet, of volumes that do not exist, and prints one JSON
// line for each of them. restore reads a backup back and prints a JSON line with the SHA-256 of the whole volume; with --file
// it leaves the volume there. backup makes one of a volume that volume-stand-in keeps (see image.go). list prints a JSON line
// for each backup. remove takes away a backup, and remove-volume what is left of a volume.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/longhorn/backupstore"
	_ "github.com/longhorn/backupstore/s3"
	"github.com/sirupsen/logrus"
)

// store is where backups are.
type store struct {
	endpoint, region, bucket, prefix string
}

// url is the store's address as Longhorn writes it.
func (s store) url() string {
	return fmt.Sprintf("s3://%s@%s/%s/", s.bucket, s.region, s.prefix)
}

func main() {
	// The library logs every step.
	logrus.SetLevel(logrus.ErrorLevel)
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "backup-store:", err)
		os.Exit(1)
	}
}

func run(arguments []string, input io.Reader, output io.Writer) error {
	if len(arguments) == 0 {
		return errors.New("the first argument must be write, restore, backup, list, remove or remove-volume")
	}
	var target store
	var volume, backup, file string
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	flags.StringVar(&target.endpoint, "endpoint", "", "URL of the S3 server")
	flags.StringVar(&target.region, "region", "", "its region")
	flags.StringVar(&target.bucket, "bucket", "", "the bucket, which must exist")
	flags.StringVar(&target.prefix, "prefix", "", "folder in the bucket")
	needed := []string{"endpoint", "region", "bucket", "prefix"}
	switch arguments[0] {
	case "restore", "remove":
		flags.StringVar(&backup, "backup", "", "name of the backup")
		needed = append(needed, "backup")
		fallthrough
	case "remove-volume":
		flags.StringVar(&volume, "volume", "", "name of the volume")
		needed = append(needed, "volume")
	}
	if arguments[0] == "restore" {
		flags.StringVar(&file, "file", "", "where to leave the volume; by default it is not kept")
	}
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	for _, name := range needed {
		if flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("--%s is missing", name)
		}
	}
	// Longhorn passes the contents of its credential secret to the library like this.
	for name, value := range map[string]string{"AWS_ENDPOINTS": target.endpoint, "VIRTUAL_HOSTED_STYLE": "false"} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	lines := json.NewEncoder(output)
	switch arguments[0] {
	case "write":
		wanted, err := readSpec(input)
		if err != nil {
			return err
		}
		return write(target, wanted, lines)
	case "restore":
		if file != "" {
			defer unlockIfAlone(target, volume)
			return restoreInto(target, volume, backup, file)
		}
		return restore(target, volume, backup, lines)
	case "backup":
		return backupImage(target, input, lines)
	case "list":
		return list(target, lines)
	case "remove":
		return backupstore.DeleteDeltaBlockBackup(backupstore.EncodeBackupURL(backup, volume, target.url()))
	case "remove-volume":
		return backupstore.DeleteBackupVolume(volume, target.url())
	default:
		return fmt.Errorf("unknown command %q: write, restore, backup, list, remove or remove-volume", arguments[0])
	}
}
