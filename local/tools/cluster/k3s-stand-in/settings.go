package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/klog/v2"
	"sigs.k8s.io/yaml"
)

// settings are what a server is started with, under the meanings and defaults that K3s documents for its flags.
type settings struct {
	dataDirectory    string
	kubeconfig       string
	token            string
	agentToken       string
	clusterReset     bool
	clusterCIDR      string
	serviceCIDR      string
	clusterDNS       string
	clusterDomain    string
	tlsSANs          []string
	disabled         []string
	httpsPort        int
	bindAddress      string
	nodeAddress      string
	advertiseAddress string
	nodeName         string
	// extra flags of the programs within, without their leading dashes
	extra map[string][]string
}

// Options of K3s that change nothing in a server without an agent, or name what is off here anyway.
var withoutEffect = []string{
	"cluster-init", "debug", "disable-agent", "disable-cloud-controller", "disable-helm-controller", "disable-kube-proxy",
	"disable-network-policy", "egress-selector-mode", "embedded-registry", "flannel-backend", "kube-proxy-arg", "kubelet-arg",
	"log", "prefer-bundled-bin", "selinux", "snapshotter", "v", "write-kubeconfig-mode",
}

// Options whose value may be left out.
var switches = []string{
	"cluster-init", "cluster-reset", "debug", "disable-agent", "disable-cloud-controller", "disable-helm-controller",
	"disable-kube-proxy", "disable-network-policy", "embedded-registry", "etcd-disable-snapshots", "prefer-bundled-bin",
	"secrets-encryption", "selinux",
}

// readSettings reads flags, and the file that `--config` names. A flag replaces what the file says.
func readSettings(arguments []string) (settings, error) {
	flags, err := parseFlags(arguments)
	if err != nil {
		return settings{}, err
	}
	file := "/etc/rancher/k3s/config.yaml"
	if given := flags["config"]; len(given) > 0 {
		file = given[len(given)-1]
	}
	options, err := readFile(file, len(flags["config"]) > 0)
	if err != nil {
		return settings{}, err
	}
	maps.Copy(options, flags)
	delete(options, "config")
	return interpret(options)
}

func parseFlags(arguments []string) (map[string][]string, error) {
	flags := map[string][]string{}
	for i := 0; i < len(arguments); i++ {
		name, isFlag := strings.CutPrefix(arguments[i], "-")
		if !isFlag {
			return nil, fmt.Errorf("%q is not a flag", arguments[i])
		}
		name = strings.TrimPrefix(name, "-")
		if name == "c" {
			name = "config"
		}
		name, value, hasValue := strings.Cut(name, "=")
		if !hasValue {
			switch {
			case slices.Contains(switches, name):
				value = "true"
			case i+1 < len(arguments):
				i++
				value = arguments[i]
			default:
				return nil, fmt.Errorf("the flag --%s needs a value", name)
			}
		}
		flags[name] = append(flags[name], value)
	}
	return flags, nil
}

func readFile(path string, needed bool) (map[string][]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && !needed {
		return map[string][]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	var keys map[string]any
	if err := yaml.Unmarshal(text, &keys); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	options := map[string][]string{}
	for key, value := range keys {
		// K3s adds to a list where a key ends in a plus sign; there is only one file here.
		key = strings.TrimSuffix(key, "+")
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, element := range list {
			if number, isNumber := element.(float64); isNumber {
				// Not %v: a port or a token of digits only would become 1e+06.
				element = strconv.FormatFloat(number, 'f', -1, 64)
			}
			options[key] = append(options[key], fmt.Sprint(element))
		}
	}
	return options, nil
}

func interpret(options map[string][]string) (settings, error) {
	last := func(key, otherwise string) string {
		values := options[key]
		delete(options, key)
		if len(values) == 0 || values[len(values)-1] == "" {
			return otherwise
		}
		return values[len(values)-1]
	}
	list := func(key string) []string {
		var elements []string
		for _, value := range options[key] {
			for element := range strings.SplitSeq(value, ",") {
				if element = strings.TrimSpace(element); element != "" {
					elements = append(elements, element)
				}
			}
		}
		delete(options, key)
		return elements
	}
	if server := last("server", ""); server != "" {
		return settings{}, fmt.Errorf("server: %s: this stand-in of K3s cannot join another server; a guest has one (servers: 1)", server)
	}
	if last("secrets-encryption", "false") == "true" {
		return settings{}, errors.New("secrets-encryption: this stand-in of K3s cannot encrypt Secrets at rest; leave the key out")
	}
	for _, key := range []string{"datastore-endpoint", "cluster-reset-restore-path", "agent-token-file"} {
		if value := last(key, ""); value != "" {
			return settings{}, fmt.Errorf("%s: this stand-in of K3s does not have it", key)
		}
	}
	hostname, err := os.Hostname()
	if err != nil {
		return settings{}, err
	}
	port, err := strconv.Atoi(last("https-listen-port", "6443"))
	if err != nil {
		return settings{}, fmt.Errorf("https-listen-port: %w", err)
	}
	reset, err := strconv.ParseBool(last("cluster-reset", "false"))
	if err != nil {
		return settings{}, fmt.Errorf("cluster-reset: %w", err)
	}
	read := settings{
		dataDirectory: last("data-dir", "/var/lib/rancher/k3s"),
		kubeconfig:    last("write-kubeconfig", "/etc/rancher/k3s/k3s.yaml"),
		token:         last("token", os.Getenv("K3S_TOKEN")),
		agentToken:    last("agent-token", os.Getenv("K3S_AGENT_TOKEN")),
		clusterReset:  reset,
		clusterCIDR:   strings.Join(list("cluster-cidr"), ","),
		serviceCIDR:   strings.Join(list("service-cidr"), ","),
		clusterDomain: last("cluster-domain", "cluster.local"),
		tlsSANs:       list("tls-san"),
		disabled:      list("disable"),
		httpsPort:     port,
		bindAddress:   last("bind-address", "0.0.0.0"),
		nodeName:      last("node-name", hostname),
		extra:         map[string][]string{},
	}
	if read.clusterCIDR == "" {
		read.clusterCIDR = "10.42.0.0/16"
	}
	if read.serviceCIDR == "" {
		read.serviceCIDR = "10.43.0.0/16"
	}
	if read.clusterDNS, err = clusterDNS(list("cluster-dns"), read.serviceCIDR); err != nil {
		return settings{}, err
	}
	if read.nodeAddress, err = nodeAddress(list("node-ip")); err != nil {
		return settings{}, err
	}
	read.advertiseAddress = last("advertise-address", read.nodeAddress)
	for _, program := range []string{apiServer, controllerManager, scheduler, etcd} {
		for _, key := range []string{program + "-arg", strings.TrimPrefix(program, "kube-") + "-arg"} {
			// Not split at commas: a comma may be part of a value.
			read.extra[program] = append(read.extra[program], options[key]...)
			delete(options, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if slices.Contains(withoutEffect, key) {
			continue
		}
		klog.Warningf("the option %s is unknown to this stand-in of K3s and ignored", key)
	}
	return read, nil
}

// clusterDNS returns the address of the guest's DNS service: the tenth of the service range unless it is given.
func clusterDNS(given []string, serviceCIDR string) (string, error) {
	if len(given) > 0 {
		if net.ParseIP(given[0]) == nil {
			return "", fmt.Errorf("cluster-dns: %q is not an IP address", given[0])
		}
		return given[0], nil
	}
	first, _, _ := strings.Cut(serviceCIDR, ",")
	address, err := addressOf(first, 10)
	if err != nil {
		return "", fmt.Errorf("service-cidr: %w", err)
	}
	return address.String(), nil
}

// addressOf returns the n-th address of a range.
func addressOf(cidr string, n byte) (net.IP, error) {
	_, network, err := net.ParseCIDR(cidr)
	if err != nil {
		return nil, err
	}
	address := slices.Clone(network.IP)
	address[len(address)-1] += n
	if !network.Contains(address) {
		return nil, fmt.Errorf("%s has no address number %d", cidr, n)
	}
	return address, nil
}

// nodeAddress returns the address of this pod, at which others reach it: that of its default route, as K3s takes it.
func nodeAddress(given []string) (string, error) {
	if len(given) > 0 {
		if net.ParseIP(given[0]) == nil {
			return "", fmt.Errorf("node-ip: %q is not an IP address", given[0])
		}
		return given[0], nil
	}
	address, err := utilnet.ChooseHostInterface()
	if err != nil {
		return "", fmt.Errorf("no address of this machine is known, and node-ip is not set: %w", err)
	}
	return address.String(), nil
}

// serverDirectory is the folder of all that a server keeps.
func (s settings) serverDirectory() string {
	return s.dataDirectory + "/server"
}
