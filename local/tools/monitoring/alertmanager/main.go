// Alertmanager, of its own packages, for the embedded cluster: its own main does not compile in one Go module with
// Prometheus. It has the flags that Kraft passes, under the same names and with the same defaults, and no clustering.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/prometheus/alertmanager/app"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
)

func main() {
	logger := promslog.New(&promslog.Config{})
	if err := run(logger); err != nil {
		logger.Error("alertmanager exited with error", "err", err)
		os.Exit(1)
	}
}

func run(logger *slog.Logger) error {
	config := kingpin.Flag("config.file", "The configuration.").Default("alertmanager.yml").String()
	data := kingpin.Flag("storage.path", "Folder for silences and what was sent.").Default("data/").String()
	retention := kingpin.Flag("data.retention", "How long those are kept.").Default("120h").Duration()
	external := kingpin.Flag("web.external-url", "Where others reach it.").String()
	cluster := kingpin.Flag("cluster.listen-address", "Must be empty: it runs alone.").Default("").String()
	features := kingpin.Flag("enable-feature", "Experimental features, separated by commas.").Default("").String()
	web := kingpinflag.AddFlags(kingpin.CommandLine, ":9093")
	kingpin.Parse()

	flags, err := featurecontrol.NewFlags(logger, *features)
	if err != nil {
		return err
	}
	compat.InitFromFlags(logger, flags)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return app.Run(ctx, app.Options{
		ConfigFile:                  *config,
		DataDir:                     *data,
		Retention:                   *retention,
		MaintenanceInterval:         15 * time.Minute,
		AlertGCInterval:             30 * time.Minute,
		DispatchMaintenanceInterval: 30 * time.Second,
		WebConfig:                   web,
		ExternalURL:                 *external,
		ClusterBindAddr:             *cluster,
		Logger:                      logger,
		Registerer:                  prometheus.DefaultRegisterer,
		Flagger:                     flags,
	})
}
