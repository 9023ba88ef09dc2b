// Package verror is part of a stand-in: see the package vcert.
package verror

import "errors"

// ServerUnavailableError means that the service cannot be reached.
var ServerUnavailableError = errors.New("server unavailable")
