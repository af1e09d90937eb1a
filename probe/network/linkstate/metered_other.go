//go:build !linux && !windows

package linkstate

import "context"

// metered is unknown: macOS reports it to its Network framework only.
func metered(context.Context) *bool { return nil }
