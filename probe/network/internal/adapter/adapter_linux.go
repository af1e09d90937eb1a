package adapter

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// describe fills in the values from sysfs, procfs and netlink.
func describe(a *Adapter, i net.Interface, to netip.Addr) {
	sys := filepath.Join("/sys/class/net", i.Name)
	if a.Kind == "" {
		a.Kind = kindOf(sys)
	}
	switch a.Kind {
	case WiFi:
		describeWiFi(a, i)
	case Ethernet:
		if mbps, err := strconv.ParseFloat(strings.TrimSpace(readFile(filepath.Join(sys, "speed"))), 64); err == nil && mbps > 0 {
			a.RateMbps = &mbps
		}
	}
	a.Gateway, a.GatewayKnown = gatewayOf(i, to)
}

// describeWiFi uses nl80211, and the older interfaces for drivers without it.
func describeWiFi(a *Adapter, i net.Interface) {
	if s, err := stationOf(i.Index); err == nil {
		a.SignalDBM, a.RateMbps = s.signalDBM, s.rateMbps
	}
	if a.SignalDBM == nil {
		a.SignalDBM = signalOf(readFile("/proc/net/wireless"), i.Name)
	}
	if a.RateMbps == nil {
		a.RateMbps = wifiRate(i.Name)
	}
}

// Hardware types of interfaces (linux/if_arp.h).
const (
	typeEther = 1
	typePPP   = 512
	typeNone  = 65534 // tun, wireguard
)

// kindOf uses the driver's own information, then the first letters of the name, which indicate Wi-Fi or modem
// (systemd.net-naming-scheme(7)).
func kindOf(sys string) Kind {
	name := filepath.Base(sys)
	event := readFile(filepath.Join(sys, "uevent"))
	kind, _ := strconv.Atoi(strings.TrimSpace(readFile(filepath.Join(sys, "type"))))
	switch {
	case strings.Contains(event, "DEVTYPE=wlan"), exists(filepath.Join(sys, "wireless")), exists(filepath.Join(sys, "phy80211")), strings.HasPrefix(name, "wl"):
		return WiFi
	case strings.Contains(event, "DEVTYPE=wwan"), strings.HasPrefix(name, "ww"):
		return Cellular
	case strings.Contains(event, "DEVTYPE=wireguard"), exists(filepath.Join(sys, "tun_flags")), kind == typePPP, kind == typeNone:
		return VPN
	case kind == typeEther:
		return Ethernet
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func readFile(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

// signalOf parses /proc/net/wireless: two header lines, then for each interface its name, status, link quality and
// signal level.
func signalOf(table, name string) *float64 {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != name+":" {
			continue
		}
		dbm, err := strconv.ParseFloat(strings.TrimSuffix(f[3], "."), 64)
		if err != nil {
			return nil
		}
		if dbm > 63 {
			dbm -= 256 // some drivers show the unsigned byte
		}
		if !isSignal(dbm) {
			return nil
		}
		return &dbm
	}
	return nil
}
