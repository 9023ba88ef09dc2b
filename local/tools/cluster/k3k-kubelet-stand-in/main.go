// Command k3k-kubelet-stand-in is K3k's kubelet for shared mode: its virtual kubelet and all its syncers, which write a guest's
// objects to the host with the rights of the guest's own service account. All of them are K3k's own code.
//
// K3k's own main cannot run outside a pod: it fetches certificates from the guest's K3s under a name that only a
// cluster's DNS knows, and it serves metrics and the kubelet's API on every address of the machine. This main stands in
// for it. It reads the file that K3k's controller writes for that main, but takes the guest's kubeconfig as it is and
// listens nowhere, so `kubectl logs` and `kubectl exec` do not work in the guest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	virtualkubeletlog "github.com/virtual-kubelet/virtual-kubelet/log"
	"github.com/virtual-kubelet/virtual-kubelet/log/klogv2"
	"github.com/virtual-kubelet/virtual-kubelet/node"
	"github.com/virtual-kubelet/virtual-kubelet/node/nodeutil"
	"golang.org/x/sync/errgroup"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	kubernetesscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/rancher/k3k/k3k-kubelet/controller/syncer"
	"github.com/rancher/k3k/k3k-kubelet/controller/webhook"
	"github.com/rancher/k3k/k3k-kubelet/provider"
	k3k "github.com/rancher/k3k/pkg/apis/k3k.io/v1beta1"
	"github.com/rancher/k3k/pkg/controller"
	"github.com/rancher/k3k/pkg/log"
)

// configuration is the part of config.yaml in the Secret k3k-<cluster>-agent-config that is of use here.
type configuration struct {
	ClusterName      string `json:"clusterName"`
	ClusterNamespace string `json:"clusterNamespace"`
	ServiceName      string `json:"serviceName"`
	ServerIP         string `json:"serverIP"`
	KubeletPort      int    `json:"kubeletPort"`
	Version          string `json:"version"`
	MirrorHostNodes  bool   `json:"mirrorHostNodes"`
}

func main() {
	configFile := flag.String("config", "", "the file that K3k's controller writes for its kubelets")
	hostKubeconfig := flag.String("host-kubeconfig", "", "kubeconfig of the guest's service account on the host")
	guestKubeconfig := flag.String("guest-kubeconfig", "", "kubeconfig of an administrator of the guest")
	nodeName := flag.String("agent-hostname", "", "the host's node that this kubelet stands for")
	flag.Parse()

	logger := zapr.NewLogger(log.New(false, "json"))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, logger, *configFile, *hostKubeconfig, *guestKubeconfig, *nodeName); err != nil {
		fmt.Fprintln(os.Stderr, "k3k-kubelet-stand-in:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, logger logr.Logger, configFile, hostKubeconfig, guestKubeconfig, nodeName string) error {
	text, err := os.ReadFile(configFile)
	if err != nil {
		return err
	}
	var config configuration
	if err := yaml.Unmarshal(text, &config); err != nil {
		return err
	}
	hostConfig, err := clientcmd.BuildConfigFromFlags("", hostKubeconfig)
	if err != nil {
		return err
	}
	guestConfig, err := clientcmd.BuildConfigFromFlags("", guestKubeconfig)
	if err != nil {
		return err
	}
	host, guest, err := managers(config, hostConfig, guestConfig)
	if err != nil {
		return err
	}
	// The host's cache does not run yet, and K3k reads these without one too.
	hostClient, err := client.New(hostConfig, client.Options{Scheme: host.GetScheme()})
	if err != nil {
		return err
	}
	if err := webhook.RemovePodMutatingWebhook(ctx, guest.GetClient(), hostClient, config.ClusterName, config.ClusterNamespace); err != nil {
		return err
	}
	if err := addSyncers(ctx, guest, host, config); err != nil {
		return err
	}
	virtualNode, err := newNode(ctx, logger, config, nodeName, host, guest, hostClient)
	if err != nil {
		return err
	}

	// Unlike K3k 1.1.0, which goes on without its syncers when one of the two loses its lease.
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return host.Start(ctx) })
	group.Go(func() error { return guest.Start(ctx) })
	group.Go(func() error {
		return virtualNode.Run(virtualkubeletlog.WithLogger(ctx, klogv2.New(nil)))
	})
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// managers returns controller-runtime's managers for the host and the guest: the one sees only the guest's namespace,
// and each holds a lease in its cluster.
func managers(config configuration, hostConfig, guestConfig *rest.Config) (host, guest manager.Manager, err error) {
	hostScheme := runtime.NewScheme()
	if err := errors.Join(kubernetesscheme.AddToScheme(hostScheme), k3k.AddToScheme(hostScheme)); err != nil {
		return nil, nil, err
	}
	host, err = ctrl.NewManager(hostConfig, manager.Options{
		Scheme:                  hostScheme,
		LeaderElection:          true,
		LeaderElectionNamespace: config.ClusterNamespace,
		LeaderElectionID:        config.ClusterName,
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		Cache:                   cache.Options{DefaultNamespaces: map[string]cache.Config{config.ClusterNamespace: {}}},
	})
	if err != nil {
		return nil, nil, err
	}
	guest, err = ctrl.NewManager(guestConfig, manager.Options{
		LeaderElection:          true,
		LeaderElectionNamespace: "kube-system",
		LeaderElectionID:        config.ClusterName,
		Metrics:                 metricsserver.Options{BindAddress: "0"},
	})
	return host, guest, err
}

func addSyncers(ctx context.Context, guest, host manager.Manager, config configuration) error {
	for _, add := range []func(context.Context, manager.Manager, manager.Manager, string, string) error{
		syncer.AddConfigMapSyncer,
		syncer.AddSecretSyncer,
		syncer.AddServiceSyncer,
		syncer.AddIngressSyncer,
		syncer.AddPVCSyncer,
		syncer.AddPriorityClassSyncer,
	} {
		if err := add(ctx, guest, host, config.ClusterName, config.ClusterNamespace); err != nil {
			return err
		}
	}
	return nil
}

// newNode returns the virtual kubelet. Its provider writes the guest's pods to the host.
func newNode(ctx context.Context, logger logr.Logger, config configuration, name string, host, guest manager.Manager, hostClient client.Client) (*nodeutil.Node, error) {
	key := func(name string) client.ObjectKey {
		return client.ObjectKey{Namespace: config.ClusterNamespace, Name: name}
	}
	var cluster k3k.Cluster
	var kubeletService, dnsService core.Service
	if err := errors.Join(
		hostClient.Get(ctx, key(config.ClusterName), &cluster),
		hostClient.Get(ctx, key(config.ServiceName), &kubeletService),
		hostClient.Get(ctx, key(controller.SafeConcatNameWithPrefix(config.ClusterName, "kube-dns")), &dnsService),
	); err != nil {
		return nil, err
	}
	guestClient, err := kubernetes.NewForConfig(guest.GetConfig())
	if err != nil {
		return nil, err
	}
	newProvider := func(nodeConfig nodeutil.ProviderConfig) (nodeutil.Provider, node.NodeProvider, error) {
		pods, err := provider.New(*host.GetConfig(), host, guest, logger, config.ClusterNamespace, config.ClusterName, config.ServerIP, dnsService.Spec.ClusterIP, name)
		if err != nil {
			return nil, nil, err
		}
		err = provider.ConfigureNode(logger, nodeConfig.Node, name, config.KubeletPort, kubeletService.Spec.ClusterIP, host, guest.GetClient(), cluster, config.Version, config.MirrorHostNodes)
		return pods, &provider.Node{}, err
	}
	return nodeutil.NewNode(name, newProvider, nodeutil.WithClient(guestClient), func(options *nodeutil.NodeConfig) error {
		options.NodeSpec.Labels["kubernetes.io/role"] = "worker"
		options.NodeSpec.Labels["node-role.kubernetes.io/worker"] = "true"
		// K3k translates the downward API itself.
		options.SkipDownwardAPIResolution = true
		return nil
	})
}
