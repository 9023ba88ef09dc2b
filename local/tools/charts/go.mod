module kraft/local/tools/charts

go 1.26.0

require (
	github.com/longhorn/longhorn-manager v1.12.0
	github.com/traefik/traefik/v3 v3.7.13
	go.universe.tf/metallb v0.15.3
)
