package osstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/jfreymuth/pulse/proto"
)

// errServerDisconnected ends the watch of a server that disconnected.
var errServerDisconnected = errors.New("the sound server disconnected")

// watch subscribes to the server's events for sources, recording streams, and the
// server itself, which includes the default device.
func watch(ctx context.Context, changed chan<- struct{}) error {
	left := make(chan struct{}, 1)
	client, conn, err := dialPulse(ctx, func(message any) {
		to := changed
		switch message.(type) {
		case *proto.SubscribeEvent:
		case *proto.ConnectionClosed:
			to = left
		default:
			return
		}
		select {
		case to <- struct{}{}:
		default: // a notification is pending
		}
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	mask := proto.SubscriptionMaskSource | proto.SubscriptionMaskSourceInput | proto.SubscriptionMaskServer
	if err := client.Request(&proto.Subscribe{Mask: mask}, nil); err != nil {
		return fmt.Errorf("subscribe to the sound server's events: %w", err)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-left:
		return errServerDisconnected
	}
}
