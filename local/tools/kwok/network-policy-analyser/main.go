// Command network-policy-analyser computes which traffic a cluster's NetworkPolicies allow. It reads a snapshot of the
// cluster as JSON on standard input, and writes one verdict per query to standard output. Cyclonus evaluates the policies;
// this program translates, and refuses what Cyclonus would evaluate differently from Kubernetes.
//
// Where network plugins differ, Cyclonus behaves like this:
//
//   - An ipBlock also matches a pod, by the pod's address.
//   - "ip:" is a peer outside the cluster, even if a pod or a node has that address: no policy applies on its side and no
//     selector matches it. That a node always reaches its own pods is not modelled.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubernetesjson "sigs.k8s.io/json"
)

type snapshot struct {
	NetworkPolicies []networking.NetworkPolicy   `json:"networkPolicies"`
	Namespaces      map[string]map[string]string `json:"namespaces"` // the labels of each
	Pods            map[string]pod               `json:"pods"`       // by namespace/name
	Queries         []query                      `json:"queries"`
}

type pod struct {
	Labels map[string]string    `json:"labels"`
	IP     string               `json:"ip"`
	Ports  []core.ContainerPort `json:"ports"` // of all containers, for policies that name a port
}

// query is one connection between two peers, each a key of pods or "ip:" and an address outside the cluster.
type query struct {
	From     string        `json:"from"`
	To       string        `json:"to"`
	Protocol core.Protocol `json:"protocol"`
	Port     int           `json:"port"`
}

type verdict struct {
	Allowed bool `json:"allowed"`
	Ingress bool `json:"ingress"` // by the policies of the receiving side
	Egress  bool `json:"egress"`  // by the policies of the sending side
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "network-policy-analyser:", err)
		os.Exit(1)
	}
}

func run(input io.Reader, output io.Writer) error {
	text, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	var cluster snapshot
	unknown, err := kubernetesjson.UnmarshalStrict(text, &cluster)
	if err != nil {
		return err
	}
	if len(unknown) > 0 {
		return unknown[0]
	}
	// If a part were missing by mistake, everything would seem to be allowed.
	if cluster.NetworkPolicies == nil || cluster.Namespaces == nil || cluster.Pods == nil || cluster.Queries == nil {
		return errors.New("networkPolicies, namespaces, pods and queries must all be given, empty or not")
	}
	verdicts, err := cluster.answer()
	if err != nil {
		return err
	}
	return json.NewEncoder(output).Encode(verdicts)
}

func (cluster *snapshot) answer() (verdicts []verdict, err error) {
	policies := make([]*networking.NetworkPolicy, len(cluster.NetworkPolicies))
	for i := range cluster.NetworkPolicies {
		policies[i] = &cluster.NetworkPolicies[i]
		if err := refuseMisread(policies[i].Spec); err != nil {
			return nil, fmt.Errorf("NetworkPolicy %s/%s: %w", policies[i].Namespace, policies[i].Name, err)
		}
	}
	peers := map[string]*matcher.TrafficPeer{}
	for key, pod := range cluster.Pods {
		namespace, _, _ := strings.Cut(key, "/")
		labels, known := cluster.Namespaces[namespace]
		if !known {
			return nil, fmt.Errorf("pod %q: no namespace %q", key, namespace)
		}
		if err := checkAddress(pod.IP); err != nil {
			return nil, fmt.Errorf("pod %q: %w", key, err)
		}
		inside := &matcher.InternalPeer{Namespace: namespace, NamespaceLabels: labels, PodLabels: pod.Labels}
		peers[key] = &matcher.TrafficPeer{Internal: inside, IP: pod.IP}
	}
	// Cyclonus panics at a policy that no API server would accept.
	defer func() {
		if problem := recover(); problem != nil {
			verdicts, err = nil, fmt.Errorf("cyclonus: %v", problem)
		}
	}()
	// Simplifying them is only for the tables that Cyclonus prints.
	policy := matcher.BuildNetworkPolicies(false, policies)
	verdicts = []verdict{}
	for i, query := range cluster.Queries {
		traffic, err := cluster.traffic(query, peers)
		if err != nil {
			return nil, fmt.Errorf("queries[%d]: %w", i, err)
		}
		result := policy.IsTrafficAllowed(traffic)
		verdicts = append(verdicts, verdict{result.IsAllowed(), result.Ingress.IsAllowed(), result.Egress.IsAllowed()})
	}
	return verdicts, nil
}

func (cluster *snapshot) traffic(query query, peers map[string]*matcher.TrafficPeer) (*matcher.Traffic, error) {
	switch {
	case query.From == query.To:
		// No policy keeps a pod from reaching itself, but Cyclonus would apply them.
		return nil, fmt.Errorf("%q is on both sides, which policies do not govern", query.From)
	case query.Protocol != core.ProtocolTCP && query.Protocol != core.ProtocolUDP && query.Protocol != core.ProtocolSCTP:
		return nil, fmt.Errorf("%q is none of the protocols TCP, UDP and SCTP", query.Protocol)
	case query.Port < 1 || query.Port > 65535:
		return nil, fmt.Errorf("%d is no port", query.Port)
	}
	ends := [2]*matcher.TrafficPeer{}
	for i, name := range []string{query.From, query.To} {
		if address, outside := strings.CutPrefix(name, "ip:"); outside {
			if err := checkAddress(address); err != nil {
				return nil, err
			}
			ends[i] = &matcher.TrafficPeer{IP: address}
		} else if ends[i] = peers[name]; ends[i] == nil {
			return nil, fmt.Errorf("no pod %q", name)
		}
	}
	traffic := &matcher.Traffic{Source: ends[0], Destination: ends[1], ResolvedPort: query.Port, Protocol: query.Protocol}
	for _, port := range cluster.Pods[query.To].Ports {
		if int(port.ContainerPort) == query.Port && port.Protocol == query.Protocol {
			traffic.ResolvedPortName = port.Name
		}
	}
	return traffic, nil
}

// checkAddress also refuses IPv4 in IPv6 notation, which Cyclonus reads as IPv4.
func checkAddress(text string) error {
	if address, err := netip.ParseAddr(text); err != nil || address.Is4In6() || address.Zone() != "" {
		return fmt.Errorf("%q is no IP address", text)
	}
	return nil
}

// refuseMisread refuses what Cyclonus reads differently from Kubernetes. In Kubernetes, NotIn matches an object without the
// label, an empty value in matchLabels does not, and a block of IPv4 addresses in IPv6 notation contains no IPv4 address.
func refuseMisread(spec networking.NetworkPolicySpec) error {
	var peers []networking.NetworkPolicyPeer
	for _, rule := range spec.Ingress {
		peers = append(peers, rule.From...)
	}
	for _, rule := range spec.Egress {
		peers = append(peers, rule.To...)
	}
	selectors := []*meta.LabelSelector{&spec.PodSelector}
	for _, peer := range peers {
		selectors = append(selectors, peer.NamespaceSelector, peer.PodSelector)
		if peer.IPBlock == nil {
			continue
		}
		if block, err := netip.ParsePrefix(peer.IPBlock.CIDR); err != nil || block.Addr().Is4In6() {
			return fmt.Errorf("%q is no CIDR that can be evaluated", peer.IPBlock.CIDR)
		}
	}
	for _, selector := range selectors {
		if selector == nil {
			continue
		}
		for label, value := range selector.MatchLabels {
			if value == "" {
				return fmt.Errorf("an empty value in matchLabels (%s) cannot be evaluated", label)
			}
		}
		for _, expression := range selector.MatchExpressions {
			if expression.Operator == meta.LabelSelectorOpNotIn {
				return fmt.Errorf("a selector with NotIn (%s) cannot be evaluated", expression.Key)
			}
		}
	}
	return nil
}
