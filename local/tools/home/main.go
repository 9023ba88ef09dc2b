// Command home runs the machines of an embedded home on one Linux machine: every machine is a set of namespaces (network,
// processes, mounts, host name) over a root file system of its own, and all of them are inside those of one process. When
// that process ends, however it ends, the kernel takes everything else along.
//
//	home run <plan>           runs a home until it is told to end
//	home certificates <list>  makes the certificates of a list that are not there yet
//
// It knows nothing of Kubernetes: what a machine runs is in the plan, which Kraft's TypeScript computes.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 && (len(os.Args) != 4 || os.Args[1] != machineCommand) {
		fmt.Fprintln(os.Stderr, "usage: home run <plan> | home certificates <list>")
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "run":
		err = run(os.Args[2])
	case insideCommand:
		err = inside(os.Args[2])
	case machineCommand:
		err = machine(os.Args[2], os.Args[3])
	case "certificates":
		err = certificates(os.Args[2])
	default:
		err = fmt.Errorf("there is no command %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "home:", err)
		os.Exit(1)
	}
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
