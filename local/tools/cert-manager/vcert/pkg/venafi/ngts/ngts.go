// Package ngts is part of a stand-in: see the package vcert.
package ngts

import "github.com/Venafi/vcert/v5/pkg/endpoint"

// Connector is a client that cannot do anything.
type Connector struct{ endpoint.Unsupported }
