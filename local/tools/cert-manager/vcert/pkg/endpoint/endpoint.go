// Package endpoint is part of a stand-in: see the package vcert.
package endpoint

import (
	"errors"

	"github.com/Venafi/vcert/v5/pkg/certificate"
)

// ConnectorType is a kind of service.
type ConnectorType int

const (
	ConnectorTypeTPP ConnectorType = iota + 1
	ConnectorTypeCloud
	ConnectorTypeNGTS
)

// Authentication is what a client proves itself with.
type Authentication struct {
	User, Password, APIKey, AccessToken, ClientId, ClientSecret, Scope, TokenURL string
}

// Connector is a client of a service.
type Connector interface {
	GetType() ConnectorType
	Ping() error
	ReadZoneConfiguration() (*ZoneConfiguration, error)
	RequestCertificate(*certificate.Request) (string, error)
	RetrieveCertificate(*certificate.Request) (*certificate.PEMCollection, error)
}

// ZoneConfiguration is what a service permits.
type ZoneConfiguration struct{}

// UpdateCertificateRequest changes nothing.
func (*ZoneConfiguration) UpdateCertificateRequest(_ *certificate.Request) {}

// ValidateCertificateRequest always fails.
func (*ZoneConfiguration) ValidateCertificateRequest(_ *certificate.Request) error {
	return errors.ErrUnsupported
}

// ErrCertificatePending and ErrRetrieveCertificateTimeout mean that a certificate is not there yet.
type (
	ErrCertificatePending         struct{ error }
	ErrRetrieveCertificateTimeout struct{ error }
)

// Unsupported is a client that cannot do anything.
type Unsupported struct{}

func (Unsupported) GetType() ConnectorType { return 0 }

func (Unsupported) Ping() error { return errors.ErrUnsupported }

func (Unsupported) Authenticate(*Authentication) error { return errors.ErrUnsupported }

func (Unsupported) ReadZoneConfiguration() (*ZoneConfiguration, error) {
	return nil, errors.ErrUnsupported
}

func (Unsupported) RequestCertificate(*certificate.Request) (string, error) {
	return "", errors.ErrUnsupported
}

func (Unsupported) RetrieveCertificate(*certificate.Request) (*certificate.PEMCollection, error) {
	return nil, errors.ErrUnsupported
}
