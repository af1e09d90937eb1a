package linkstate

import (
	"context"

	"github.com/godbus/dbus/v5"
)

// Values of NMMetered in NetworkManager's D-Bus interface. A guess derives from the kind
// of the connection, or from what a phone announces over DHCP.
const (
	nmMeteredYes      = 1
	nmMeteredNo       = 2
	nmMeteredGuessYes = 3
	nmMeteredGuessNo  = 4
)

func metered(ctx context.Context) *bool {
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil
	}
	defer func() { _ = bus.Close() }()
	return meteredAt(ctx, bus)
}

// meteredAt asks NetworkManager, without starting it.
func meteredAt(ctx context.Context, bus *dbus.Conn) *bool {
	const name = "org.freedesktop.NetworkManager"
	var value dbus.Variant
	err := bus.Object(name, "/org/freedesktop/NetworkManager").CallWithContext(ctx,
		"org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, name, "Metered").Store(&value)
	if err != nil {
		return nil // this system is managed otherwise
	}
	return parseNMMetered(value.Value())
}

func parseNMMetered(value any) *bool {
	switch v, _ := value.(uint32); v {
	case nmMeteredYes, nmMeteredGuessYes:
		return new(true)
	case nmMeteredNo, nmMeteredGuessNo:
		return new(false)
	}
	return nil
}
