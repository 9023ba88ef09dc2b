package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/klog/v2"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	manageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	kubescheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// The programs within, as K3s' options for their flags name them.
const (
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	etcd              = "etcd"
)

// requestHeaderName is the name under which the API server speaks to API servers that a tenant adds to it.
const requestHeaderName = "system:auth-proxy"

// runAPIServer runs the API server until ctx ends. `wrap` puts the supervisor's endpoints before its handlers.
func runAPIServer(ctx context.Context, s settings, keys pki, wrap func(http.Handler) http.Handler) error {
	issuer := "https://kubernetes.default.svc." + s.clusterDomain
	options := apiserveroptions.NewServerRunOptions()
	flags := options.Flags()
	if err := parse(apiServer, flags, s.extra[apiServer], map[string]string{
		"advertise-address":             s.advertiseAddress,
		"allow-privileged":              "true",
		"anonymous-auth":                "false",
		"api-audiences":                 issuer + ",k3s",
		"authorization-mode":            "Node,RBAC",
		"bind-address":                  s.bindAddress,
		"cert-dir":                      filepath.Join(keys.directory, "temporary-certs"),
		"client-ca-file":                keys.certificate(clientCA),
		"enable-admission-plugins":      "NodeRestriction",
		"etcd-cafile":                   keys.certificate(etcdServerCA),
		"etcd-certfile":                 keys.certificate(etcdClient),
		"etcd-keyfile":                  keys.key(etcdClient),
		"etcd-servers":                  datastoreEndpoint,
		"kubelet-certificate-authority": keys.certificate(serverCA),
		"kubelet-client-certificate":    keys.certificate(apiServerClient),
		"kubelet-client-key":            keys.key(apiServerClient),
		// The names of the host's nodes, which virtual nodes carry too, cannot be resolved in a pod.
		"kubelet-preferred-address-types":    "InternalIP,ExternalIP,Hostname",
		"profiling":                          "false",
		"proxy-client-cert-file":             keys.certificate(proxyClient),
		"proxy-client-key-file":              keys.key(proxyClient),
		"requestheader-allowed-names":        requestHeaderName,
		"requestheader-client-ca-file":       keys.certificate(requestHeaderCA),
		"requestheader-extra-headers-prefix": "X-Remote-Extra-",
		"requestheader-group-headers":        "X-Remote-Group",
		"requestheader-username-headers":     "X-Remote-User",
		"secure-port":                        strconv.Itoa(s.httpsPort),
		"service-account-issuer":             issuer,
		"service-account-key-file":           keys.key(serviceKey),
		"service-account-signing-key-file":   keys.key(serviceKey),
		"service-cluster-ip-range":           s.serviceCIDR,
		"storage-backend":                    "etcd3",
		"tls-cert-file":                      keys.certificate(apiServerServing),
		"tls-private-key-file":               keys.key(apiServerServing),
	}); err != nil {
		return err
	}
	if err := options.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	completedOptions, err := options.Complete(ctx)
	if err != nil {
		return err
	}
	if problems := completedOptions.Validate(); len(problems) > 0 {
		return utilerrors.NewAggregate(problems)
	}
	config, err := apiserver.NewConfig(completedOptions)
	if err != nil {
		return err
	}
	completed, err := config.Complete()
	if err != nil {
		return err
	}
	server, err := apiserver.CreateServerChain(completed)
	if err != nil {
		return err
	}
	handler := server.GenericAPIServer.Handler
	handler.FullHandlerChain = wrap(handler.FullHandlerChain)
	prepared, err := server.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}

func runControllerManager(ctx context.Context, s settings, keys pki) error {
	options, err := manageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	flags := options.Flags(manager.KnownControllers(), manager.ControllersDisabledByDefault(), manager.ControllerAliases())
	options.ParsedFlags = &flags
	if err := parse(controllerManager, flags, s.extra[controllerManager], map[string]string{
		"allocate-node-cidrs": "true",
		"cluster-cidr":        s.clusterCIDR,
		"cluster-signing-kube-apiserver-client-cert-file": keys.certificate(clientCA),
		"cluster-signing-kube-apiserver-client-key-file":  keys.key(clientCA),
		"cluster-signing-kubelet-client-cert-file":        keys.certificate(clientCA),
		"cluster-signing-kubelet-client-key-file":         keys.key(clientCA),
		"cluster-signing-kubelet-serving-cert-file":       keys.certificate(serverCA),
		"cluster-signing-kubelet-serving-key-file":        keys.key(serverCA),
		"cluster-signing-legacy-unknown-cert-file":        keys.certificate(clientCA),
		"cluster-signing-legacy-unknown-key-file":         keys.key(clientCA),
		"controllers":                      "*,tokencleaner",
		"kubeconfig":                       kubeconfigPath(s, "controller"),
		"leader-elect":                     "false",
		"profiling":                        "false",
		"root-ca-file":                     keys.certificate(serverCA),
		"secure-port":                      "0",
		"service-account-private-key-file": keys.key(serviceKey),
		"service-cluster-ip-range":         s.serviceCIDR,
		"use-service-account-credentials":  "true",
	}); err != nil {
		return err
	}
	config, err := options.Config(ctx, manager.KnownControllers(), manager.ControllersDisabledByDefault(), manager.ControllerAliases())
	if err != nil {
		return err
	}
	return manager.Run(ctx, config.Complete())
}

func runScheduler(ctx context.Context, s settings) error {
	options := scheduleroptions.NewOptions()
	if err := parse(scheduler, *options.Flags, s.extra[scheduler], map[string]string{
		"kubeconfig":   kubeconfigPath(s, "scheduler"),
		"leader-elect": "false",
		"profiling":    "false",
		"secure-port":  "0",
	}); err != nil {
		return err
	}
	config, running, err := kubescheduler.Setup(ctx, options)
	if err != nil {
		return err
	}
	return kubescheduler.Run(ctx, config, running)
}

// parse sets a program's flags: ours, then the configuration's, which may repeat and so replace ours.
func parse(program string, sets cliflag.NamedFlagSets, extra []string, own map[string]string) error {
	flags := pflag.NewFlagSet(program, pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	var arguments []string
	for name, value := range own {
		arguments = append(arguments, "--"+name+"="+value)
	}
	if err := flags.Parse(append(arguments, dashed(extra)...)); err != nil {
		return fmt.Errorf("%s-arg: %w", program, err)
	}
	return nil
}

// dashed returns flags as a command line has them.
func dashed(flags []string) []string {
	var arguments []string
	for _, flag := range flags {
		arguments = append(arguments, "--"+strings.TrimLeft(flag, "-"))
	}
	return arguments
}

func kubeconfigPath(s settings, name string) string {
	return filepath.Join(s.serverDirectory(), "cred", name+".kubeconfig")
}

// writeKubeconfigs writes one for each program within, and the administrator's where K3s has it.
func writeKubeconfigs(s settings, keys pki) error {
	for name, certificate := range map[string]string{
		"admin":      adminClient,
		"controller": controllerClient,
		"scheduler":  schedulerClient,
		"supervisor": supervisorClient,
	} {
		text, err := kubeconfig(s, keys, certificate)
		if err != nil {
			return err
		}
		if err := writeFile(kubeconfigPath(s, name), text); err != nil {
			return err
		}
		if name != "admin" {
			continue
		}
		// A convenience for who signs in to the pod, whose root file system may be read-only.
		if err := writeFile(s.kubeconfig, text); err != nil {
			klog.Warningf("the administrator's kubeconfig is only in %s: %v", kubeconfigPath(s, name), err)
		}
	}
	return nil
}

func bracketed(host string) string {
	if address := net.ParseIP(host); address != nil && address.To4() == nil {
		return "[" + host + "]"
	}
	return host
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return first
}
