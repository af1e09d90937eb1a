//go:build !darwin

package adapter

import "context"

// Radio adds nothing here: the system told all it knows at once.
func Radio(_ context.Context, a Adapter) Adapter { return a }
