package main

import "fmt"

// A plan is all that a home consists of.
type plan struct {
	// Directory holds what the home writes. Machines see it under the same path.
	Directory string `json:"directory"`
	// Root is the read-only root file system that every machine starts from.
	Root string `json:"root"`
	// Cgroup is the name of the home's own cgroup, below which each machine has one.
	Cgroup string `json:"cgroup"`
	// Networks are the names of the cables: each is a bridge.
	Networks []string `json:"networks"`
	// Shared are folders whose mounts the machines see as soon as a process of the home makes them.
	Shared    []string         `json:"shared"`
	Processes []processPlan    `json:"processes"`
	Machines  []machinePlan    `json:"machines"`
	Forwards  []forwardingPlan `json:"forwards"`
}

type machinePlan struct {
	Name  string     `json:"name"`
	Links []linkPlan `json:"links"`
	// Mounts are folders outside of the machine that it sees.
	Mounts []mountPlan `json:"mounts"`
	Files  []filePlan  `json:"files"`
	// Sysctls are written before anything runs.
	Sysctls map[string]string `json:"sysctls"`
	// Commands run one after the other when the network is there; each must succeed.
	Commands  [][]string    `json:"commands"`
	Processes []processPlan `json:"processes"`
}

type linkPlan struct {
	Network string `json:"network"`
	// Device is its name in the machine, for example eth0.
	Device string `json:"device"`
	// Address has a prefix length: 192.168.1.11/24.
	Address string `json:"address"`
}

type mountPlan struct {
	Source   string `json:"source"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"readOnly"`
}

type filePlan struct {
	Path string `json:"path"`
	Text string `json:"text"`
	Mode uint32 `json:"mode"`
}

type processPlan struct {
	Name        string            `json:"name"`
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment"`
	LogFile     string            `json:"logFile"`
}

// A forwardingPlan makes an address inside a machine's network reachable on the loopback address outside of the home.
type forwardingPlan struct {
	Name    string `json:"name"`
	Listen  string `json:"listen"`
	Machine string `json:"machine"`
	To      string `json:"to"`
}

// socket is where the two halves of a forwarder meet: relative to the plan's directory, since the path of a socket may have
// 107 bytes at most (unix(7)).
func (forwarding forwardingPlan) socket() string {
	return "run/" + forwarding.Name + ".sock"
}

func readPlan(path string) (plan, error) {
	var read plan
	err := readJSON(path, &read)
	return read, err
}

func (all plan) machine(name string) (machinePlan, error) {
	for _, machine := range all.Machines {
		if machine.Name == name {
			return machine, nil
		}
	}
	return machinePlan{}, fmt.Errorf("the plan has no machine %s", name)
}
