package linkstate

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// networkManager answers as NetworkManager does.
type networkManager struct{ metered any }

// Get implements org.freedesktop.DBus.Properties.
func (n networkManager) Get(iface, name string) (dbus.Variant, *dbus.Error) {
	if iface != "org.freedesktop.NetworkManager" || name != "Metered" {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", nil)
	}
	return dbus.MakeVariant(n.metered), nil
}

// TestMeteredOfNetworkManager asks over a real bus.
func TestMeteredOfNetworkManager(t *testing.T) {
	address := startBus(t)
	connect := func() *dbus.Conn {
		c, err := dbus.Connect(address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ours, theirs := connect(), connect()
	if got := inWords(meteredAt(t.Context(), ours)); got != "unknown" {
		t.Errorf("without NetworkManager: got %s, want unknown", got)
	}
	if reply, err := theirs.RequestName("org.freedesktop.NetworkManager", dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("the name was not granted: %v, %v", reply, err)
	}
	for _, c := range []struct {
		value any
		want  string
	}{{uint32(0), "unknown"}, {uint32(1), "yes"}, {uint32(2), "no"}, {uint32(3), "yes"}, {uint32(4), "no"}, {uint32(9), "unknown"}, {"yes", "unknown"}} {
		if err := theirs.Export(networkManager{c.value}, "/org/freedesktop/NetworkManager", "org.freedesktop.DBus.Properties"); err != nil {
			t.Fatal(err)
		}
		if got := inWords(meteredAt(t.Context(), ours)); got != c.want {
			t.Errorf("Metered %v: got %s, want %s", c.value, got, c.want)
		}
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
	if err := theirs.Export(networkManager{uint32(1)}, "/org/freedesktop/NetworkManager", "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if got := inWords(Metered(t.Context())); got != "yes" {
		t.Errorf("over the system's bus: got %s, want yes", got)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "none"))
	if got := inWords(Metered(t.Context())); got != "unknown" {
		t.Errorf("without a bus: got %s, want unknown", got)
	}
}

// startBus starts a bus and returns its address.
func startBus(t *testing.T) string {
	t.Helper()
	path := need.Program(t, "dbus-daemon")
	cmd := exec.CommandContext(t.Context(), path, "--session", "--nofork", "--print-address", "--address=unix:dir="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the bus has no address: %v", err)
	}
	return strings.TrimSpace(address)
}
