//go:build !linux

package osstate

import "context"

// watch is not implemented: IMMNotificationClient and the listeners of CoreAudio
// would require callbacks from foreign threads. Polling, with a last look after the last
// sample, misses nothing that persists to the end.
func watch(context.Context, chan<- struct{}) error { return ErrUnsupported }
