// Package tpp is part of a stand-in: see the package vcert.
package tpp

import (
	"errors"

	"github.com/Venafi/vcert/v5/pkg/certificate"
	"github.com/Venafi/vcert/v5/pkg/endpoint"
)

// Connector is a client that cannot do anything.
type Connector struct{ endpoint.Unsupported }

// ErrCertNotFound means that there is no such certificate.
type ErrCertNotFound struct{ error }

// OauthGetRefreshTokenResponse and OauthVerifyTokenResponse are answers that never come.
type (
	OauthGetRefreshTokenResponse struct{ Access_token string }
	OauthVerifyTokenResponse     struct{}
)

func (*Connector) GetRefreshToken(*endpoint.Authentication) (OauthGetRefreshTokenResponse, error) {
	return OauthGetRefreshTokenResponse{}, errors.ErrUnsupported
}

func (*Connector) VerifyAccessToken(*endpoint.Authentication) (OauthVerifyTokenResponse, error) {
	return OauthVerifyTokenResponse{}, errors.ErrUnsupported
}

func (*Connector) ResetCertificate(*certificate.Request, bool) error {
	return errors.ErrUnsupported
}
