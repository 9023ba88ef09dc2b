// Package certificate is part of a stand-in: see the package vcert.
package certificate

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"time"
)

// CSROrigin, ChainOption and CustomFieldType are kinds of what their names say.
type (
	CSROrigin       int
	ChainOption     int
	CustomFieldType int
)

const (
	UserProvidedCSR     CSROrigin       = 1
	ChainOptionRootLast ChainOption     = 1
	CustomFieldPlain    CustomFieldType = 1
	CustomFieldOrigin   CustomFieldType = 2
)

// CustomField is a field of a request.
type CustomField struct {
	Type        CustomFieldType
	Name, Value string
}

// PEMCollection is a certificate with those that signed it.
type PEMCollection struct {
	Certificate string
	Chain       []string
}

// Request asks for a certificate.
type Request struct {
	Subject          pkix.Name
	FriendlyName     string
	CsrOrigin        CSROrigin
	PickupID         string
	ChainOption      ChainOption
	Timeout          time.Duration
	CustomFields     []CustomField
	IssuerHint       string
	ValidityDuration *time.Duration
}

// NewRequest returns an empty one.
func NewRequest(_ *x509.Certificate) *Request {
	return &Request{}
}

// SetCSR always fails.
func (*Request) SetCSR(_ []byte) error {
	return errors.ErrUnsupported
}
