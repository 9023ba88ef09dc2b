// Package vcert stands in for the library through which cert-manager orders certificates of CyberArk Certificate Manager
// (formerly Venafi): the version that cert-manager is built with is not to be had as a Go module. Kraft has no issuer of
// that kind. The packages below declare what cert-manager's code names; no client can be made, so nothing of it ever runs.
package vcert

import (
	"errors"
	"net/http"

	"github.com/Venafi/vcert/v5/pkg/endpoint"
)

// Config says how the service is reached.
type Config struct {
	ConnectorType   endpoint.ConnectorType
	BaseUrl         string
	Zone            string
	LogVerbose      bool
	ConnectionTrust string
	Credentials     *endpoint.Authentication
	Client          *http.Client
}

// NewClient always fails.
func NewClient(_ *Config, _ ...bool) (endpoint.Connector, error) {
	return nil, errors.New("this build of cert-manager, made by Kraft, has no issuer for CyberArk Certificate Manager (Venafi)")
}
