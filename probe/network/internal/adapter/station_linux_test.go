package adapter

import (
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/wifi"
	"golang.org/x/sys/unix"
)

type attributes func(*netlink.AttributeEncoder)

// stationBytes returns a response to GET_STATION with the order of attributes of
// cfg80211 (net/wireless/nl80211.c, nl80211_send_station): interface, address,
// generation, then those of the station.
func stationBytes(t *testing.T, info ...attributes) []byte {
	t.Helper()
	e := netlink.NewAttributeEncoder()
	e.Uint32(unix.NL80211_ATTR_IFINDEX, 3)
	e.Bytes(unix.NL80211_ATTR_MAC, []byte{2, 0, 0, 0, 1, 0})
	e.Uint32(unix.NL80211_ATTR_GENERATION, 12)
	nest(unix.NL80211_ATTR_STA_INFO, info...)(e)
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func nest(kind uint16, parts ...attributes) attributes {
	return func(e *netlink.AttributeEncoder) {
		e.Nested(kind, func(inner *netlink.AttributeEncoder) error {
			for _, p := range parts {
				p(inner)
			}
			return nil
		})
	}
}

func u8(kind uint16, v uint8) attributes {
	return func(e *netlink.AttributeEncoder) { e.Uint8(kind, v) }
}
func u16(kind uint16, v uint16) attributes {
	return func(e *netlink.AttributeEncoder) { e.Uint16(kind, v) }
}
func u32(kind uint16, v uint32) attributes {
	return func(e *netlink.AttributeEncoder) { e.Uint32(kind, v) }
}

func dbm(kind uint16, v int8) attributes { return u8(kind, uint8(v)) }

// TestUplinkOf compares responses of drivers with the results, including the
// library that parses them.
func TestUplinkOf(t *testing.T) {
	const (
		latest, mean = unix.NL80211_STA_INFO_SIGNAL, unix.NL80211_STA_INFO_SIGNAL_AVG
		sends        = unix.NL80211_STA_INFO_TX_BITRATE
		rate, rate32 = unix.NL80211_RATE_INFO_BITRATE, unix.NL80211_RATE_INFO_BITRATE32
	)
	one := func(info ...attributes) [][]byte { return [][]byte{stationBytes(t, info...)} }
	for name, c := range map[string]struct {
		answers      [][]byte
		signal, mbps float64 // 0: unknown
		fails        bool
	}{
		"signal, average and rate": {one(u32(1, 20), u32(2, 123456), u32(3, 654321), dbm(latest, -70), dbm(mean, -64),
			nest(sends, u16(rate, 1734), u32(rate32, 1734), u8(unix.NL80211_RATE_INFO_MCS, 9))), -64, 173.4, false},
		"average first":              {one(dbm(mean, -64), dbm(latest, -70)), -64, 0, false},
		"no average":                 {one(dbm(latest, -58)), -58, 0, false},
		"a rate beyond 16 bit":       {one(nest(sends, u32(rate32, 120_094))), 0, 12009.4, false},
		"only the old rate":          {one(nest(sends, u16(rate, 540))), 0, 54, false},
		"a driver's own unit":        {one(u8(latest, 47)), 0, 0, false},
		"a unit of its own, average": {one(dbm(latest, -61), u8(mean, 47)), -61, 0, false},
		"no values":                  {one(), 0, 0, false},
		"not connected":              {nil, 0, 0, true},
		"an access point of its own": {append(one(dbm(latest, -58)), one(dbm(latest, -80))...), 0, 0, true},
	} {
		var all []*wifi.StationInfo
		for _, b := range c.answers {
			info, err := wifi.ParseStationInfo(b)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, info)
		}
		s, err := uplinkOf(all)
		if (err != nil) != c.fails || deref(s.signalDBM) != c.signal || deref(s.rateMbps) != c.mbps {
			t.Errorf("%s: got signal %v, rate %v, error %v; want %v, %v, an error %t", name, deref(s.signalDBM), deref(s.rateMbps), err, c.signal, c.mbps, c.fails)
		}
	}
}

func deref(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}

func TestLoopbackHasNoAccessPoint(t *testing.T) {
	if s, err := stationOf(1); err == nil {
		t.Errorf("got an access point for loopback: %+v", s)
	}
}
