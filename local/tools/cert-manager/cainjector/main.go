// Command cainjector writes the authorities of certificates into the objects that ask for them by annotation: the
// webhooks of cert-manager itself among them. See the package command.
package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kubernetesscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	config "github.com/cert-manager/cert-manager/internal/apis/config/cainjector"
	configscheme "github.com/cert-manager/cert-manager/internal/apis/config/cainjector/scheme"
	"github.com/cert-manager/cert-manager/internal/apis/config/cainjector/validation"
	"github.com/cert-manager/cert-manager/kraft/command"
	configv1alpha1 "github.com/cert-manager/cert-manager/pkg/apis/config/cainjector/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/cainjector/configfile"
	certmanagerscheme "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned/scheme"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
)

func main() {
	command.Main("cainjector", run)
}

func run(ctx context.Context, arguments []string) error {
	options, err := read(arguments)
	if err != nil {
		return err
	}
	command.Announce(ctx, "cainjector")
	restConfig, err := clientcmd.BuildConfigFromFlags("", options.KubeConfig)
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		kubernetesscheme.AddToScheme, certmanagerscheme.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	caches := cache.Options{ReaderFailOnMissingInformer: true}
	if options.Namespace != "" {
		caches.DefaultNamespaces = map[string]cache.Config{options.Namespace: {}}
	}
	election := options.LeaderElectionConfig
	manager, err := ctrl.NewManager(util.RestConfigWithUserAgent(restConfig, "cainjector"), ctrl.Options{
		Scheme: scheme,
		Cache:  caches,
		// As upstream: secrets are read one by one, never all cached.
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&core.Secret{}}}},
		LeaderElection:                election.Enabled,
		LeaderElectionNamespace:       election.Namespace,
		LeaderElectionID:              "cert-manager-cainjector-leader-election",
		LeaderElectionReleaseOnCancel: true,
		LeaderElectionLabels:          map[string]string{"app.kubernetes.io/managed-by": "cert-manager-cainjector"},
		LeaderElectionResourceLock:    resourcelock.LeasesResourceLock,
		LeaseDuration:                 &election.LeaseDuration,
		RenewDeadline:                 &election.RenewDeadline,
		RetryPeriod:                   &election.RetryPeriod,
		Metrics:                       metricsserver.Options{BindAddress: options.MetricsListenAddress},
	})
	if err != nil {
		return err
	}
	injectable := options.EnableInjectableConfig
	if err := cainjector.RegisterAllInjectors(ctx, manager, cainjector.SetupOptions{
		Namespace:                    options.Namespace,
		IgnoreNamespaces:             options.IgnoreNamespaces,
		EnableCertificatesDataSource: options.EnableDataSourceConfig.Certificates,
		EnabledReconcilersFor: map[string]bool{
			cainjector.MutatingWebhookConfigurationName:   injectable.MutatingWebhookConfigurations,
			cainjector.ValidatingWebhookConfigurationName: injectable.ValidatingWebhookConfigurations,
			cainjector.APIServiceName:                     injectable.APIServices,
			cainjector.CustomResourceDefinitionName:       injectable.CustomResourceDefinitions,
		},
	}); err != nil {
		return err
	}
	return manager.Start(ctx)
}

func read(arguments []string) (*config.CAInjectorConfiguration, error) {
	scheme, _, err := configscheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	defaults := &configv1alpha1.CAInjectorConfiguration{}
	scheme.Default(defaults)
	options := &config.CAInjectorConfiguration{}
	if err := scheme.Convert(defaults, options, nil); err != nil {
		return nil, err
	}
	flags := pflag.NewFlagSet("cainjector", pflag.ContinueOnError)
	flags.StringVar(&options.KubeConfig, "kubeconfig", options.KubeConfig, "a kubeconfig, outside of a cluster")
	flags.StringVar(&options.Namespace, "namespace", options.Namespace, "the only namespace that is looked at")
	flags.StringVar(&options.MetricsListenAddress, "metrics-listen-address", options.MetricsListenAddress, "address of the metrics; 0: none")
	election := &options.LeaderElectionConfig
	flags.BoolVar(&election.Enabled, "leader-elect", election.Enabled, "whether only one of several works")
	flags.StringVar(&election.Namespace, "leader-election-namespace", election.Namespace, "where the lease is")
	flags.DurationVar(&election.LeaseDuration, "leader-election-lease-duration", election.LeaseDuration, "how long a lease holds")
	flags.DurationVar(&election.RenewDeadline, "leader-election-renew-deadline", election.RenewDeadline, "until when it must be renewed")
	flags.DurationVar(&election.RetryPeriod, "leader-election-retry-period", election.RetryPeriod, "time between two attempts")
	command.FeatureGatesFlag(flags, &options.FeatureGates)
	logf.AddFlags(&options.Logging, flags)
	fromFile := configfile.New()
	settings := command.Settings{
		Flags:        flags,
		FromFile:     fromFile,
		Apply:        func() { fromFile.Config.DeepCopyInto(options) },
		FeatureGates: func() map[string]bool { return options.FeatureGates },
		Validate:     func() field.ErrorList { return validation.ValidateCAInjectorConfiguration(options, nil) },
		Logging:      &options.Logging,
	}
	if err := settings.Read(arguments); err != nil {
		return nil, err
	}
	if options.EnablePprof || options.MetricsTLSConfig.FilesystemConfigProvided() || options.MetricsTLSConfig.DynamicConfigProvided() {
		return nil, fmt.Errorf("this build of the CA injector, made by Kraft, has no profiler and serves metrics without TLS only")
	}
	return options, nil
}
