//go:build !linux

package osstate

import "context"

// watch: neither IMMNotificationClient nor the listeners of CoreAudio are worth
// a callback from foreign threads here. A look in turns, and a last one after
// the last sample, miss nothing that lasts to the end.
func watch(context.Context, chan<- struct{}) error { return ErrUnsupported }
