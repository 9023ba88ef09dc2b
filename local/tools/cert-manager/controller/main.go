// Command controller is cert-manager's controller: it orders certificates and renews them. See the package command.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	"github.com/cert-manager/cert-manager/internal/pem"
	"github.com/cert-manager/cert-manager/kraft/command"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	logf "github.com/cert-manager/cert-manager/pkg/logs"

	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/ingresses"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/vault"
)

func main() {
	command.Main("controller", func(ctx context.Context, arguments []string) error {
		options, err := read(arguments)
		if err != nil {
			return err
		}
		command.Announce(ctx, "controller")
		return run(ctx, options)
	})
}

// run serves metrics and health, and works while it holds the lease.
func run(ctx context.Context, options *config.ControllerConfiguration) error {
	log := logf.FromContext(ctx)
	group, ctx := errgroup.WithContext(ctx)
	factory, err := contextFactory(ctx, options)
	if err != nil {
		return err
	}
	controllers, err := factory.Build()
	if err != nil {
		return err
	}
	sizes := options.PEMSizeLimitsConfig
	pem.SetGlobalSizeLimits(pem.NewSizeLimitsFromConfig(sizes.MaxCertificateSize, sizes.MaxPrivateKeySize, sizes.MaxChainLength, sizes.MaxBundleSize))
	enabled := enabledControllers(options)

	metrics := controllers.Metrics
	metrics.SetupACMECollector(controllers.SharedInformerFactory.Acme().V1().Challenges().Lister())
	metrics.SetupCertificateCollector(controllers.SharedInformerFactory.Certmanager().V1().Certificates().Lister())
	metrics.SetupIssuerCollector(controllers.SharedInformerFactory.Certmanager().V1().Issuers().Lister())
	if enabled.Has(clusterissuers.ControllerName) {
		metrics.SetupClusterIssuerCollector(controllers.SharedInformerFactory.Certmanager().V1().ClusterIssuers().Lister())
	}
	var listen net.ListenConfig
	metricsListener, err := listen.Listen(ctx, "tcp", options.MetricsListenAddress)
	if err != nil {
		return err
	}
	metricsServer := metrics.NewServer(metricsListener)
	group.Go(func() error {
		if err := metricsServer.Serve(metricsListener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		graceful, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return metricsServer.Shutdown(graceful)
	})
	healthListener, err := listen.Listen(ctx, "tcp", options.HealthzListenAddress)
	if err != nil {
		return err
	}
	health := healthz.NewServer(options.LeaderElectionConfig.HealthzTimeout)
	group.Go(func() error { return health.Start(ctx, healthListener) })

	elected := make(chan struct{})
	if options.LeaderElectionConfig.Enabled {
		group.Go(func() error { return holdLease(ctx, options, factory, health.LeaderHealthzAdaptor, elected) })
	} else {
		close(elected)
	}
	select {
	case <-ctx.Done():
		return group.Wait()
	case <-elected:
	}

	for name, construct := range controller.Known() {
		if !enabled.Has(name) {
			continue
		}
		running, err := construct(factory)
		if err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
		group.Go(func() error { return running.Run(options.NumberOfConcurrentWorkers, ctx) })
	}
	log.Info("controllers started", "controllers", enabled.UnsortedList())
	controllers.SharedInformerFactory.Start(ctx.Done())
	controllers.KubeSharedInformerFactory.Start(ctx.Done())
	controllers.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return group.Wait()
}

// holdLease closes elected once the lease is held, and returns when it is lost or no longer needed.
func holdLease(ctx context.Context, options *config.ControllerConfiguration, factory *controller.ContextFactory, watchDog *leaderelection.HealthzAdaptor, elected chan<- struct{}) error {
	controllers, err := factory.Build("leader-election")
	if err != nil {
		return err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	election := options.LeaderElectionConfig
	lock, err := resourcelock.NewWithLabels(
		resourcelock.LeasesResourceLock,
		election.Namespace,
		"cert-manager-controller",
		controllers.Client.CoreV1(),
		controllers.Client.CoordinationV1(),
		resourcelock.ResourceLockConfig{
			Identity:      hostname + "-external-cert-manager-controller",
			EventRecorder: controllers.Recorder,
		},
		map[string]string{"app.kubernetes.io/managed-by": "cert-manager"},
	)
	if err != nil {
		return err
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   election.LeaseDuration,
		RenewDeadline:   election.RenewDeadline,
		RetryPeriod:     election.RetryPeriod,
		ReleaseOnCancel: true,
		WatchDog:        watchDog,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(elected) },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(ctx)
	if ctx.Err() == nil {
		return errors.New("the lease is lost")
	}
	return nil
}
