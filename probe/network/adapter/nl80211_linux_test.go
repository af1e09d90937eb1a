package adapter

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// nest joins attributes into one.
func nest(kind uint16, parts ...[]byte) []byte {
	return attribute(kind|0x8000, slices.Concat(parts...))
}

func u16(v uint16) []byte { return binary.NativeEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func dbm(v int8) []byte { return []byte{byte(v)} }

// answer is a message of a dump as the kernel writes it, with both headers.
func answer(kind uint16, seq uint32, body []byte) []byte {
	b := slices.Concat(u32(uint32(unix.NLMSG_HDRLEN+len(body))), u16(kind), u16(unix.NLM_F_MULTI), u32(seq), u32(4711), body)
	return append(b, make([]byte, aligned(len(b))-len(b))...)
}

// stationBytes is an answer to GET_STATION with the order and the neighbours
// that cfg80211 gives the attributes (net/wireless/nl80211.c,
// nl80211_send_station): interface, address, generation, then the station's own.
func stationBytes(info ...[]byte) []byte {
	return slices.Concat([]byte{cmdNewStation, 1, 0, 0},
		attribute(attrIfindex, u32(3)), attribute(6, []byte{2, 0, 0, 0, 1, 0}), attribute(46, u32(12)), nest(attrStaInfo, info...))
}

func TestParseStations(t *testing.T) {
	counters := slices.Concat(attribute(1, u32(20)), attribute(2, u32(123456)), attribute(3, u32(654321)))
	rate := nest(staTxBitrate, attribute(rateBitrate, u16(1734)), attribute(rateBitrate32, u32(1734)), attribute(2, []byte{9}))
	done := answer(unix.NLMSG_DONE, 2, make([]byte, 4))
	for name, c := range map[string]struct {
		dump         []byte
		signal, mbps float64 // 0: not told
		fails        bool
	}{
		"signal, average and rate": {answer(28, 2, stationBytes(counters, attribute(staSignal, dbm(-70)), attribute(staSignalAvg, dbm(-64)), rate)), -64, 173.4, false},
		"average first":            {answer(28, 2, stationBytes(attribute(staSignalAvg, dbm(-64)), attribute(staSignal, dbm(-70)))), -64, 0, false},
		"no average":               {answer(28, 2, stationBytes(attribute(staSignal, dbm(-58)))), -58, 0, false},
		"a rate beyond 16 bit":     {answer(28, 2, stationBytes(nest(staTxBitrate, attribute(rateBitrate32, u32(120_094))))), 0, 12009.4, false},
		"only the old rate":        {answer(28, 2, stationBytes(nest(staTxBitrate, attribute(rateBitrate, u16(540))))), 0, 54, false},
		"a driver's own unit":      {answer(28, 2, stationBytes(attribute(staSignal, []byte{47}))), 0, 0, false},
		"told nothing":             {answer(28, 2, stationBytes()), 0, 0, false},
		"not connected":            {nil, 0, 0, true},
		"an access point of its own": {slices.Concat(answer(28, 2, stationBytes(attribute(staSignal, dbm(-58)))),
			answer(28, 2, stationBytes(attribute(staSignal, dbm(-80))))), 0, 0, true},
		"to another question": {answer(28, 1, stationBytes(attribute(staSignal, dbm(-58)))), 0, 0, true},
	} {
		all, over, err := parseMessages(slices.Concat(c.dump, done), 2)
		if err != nil || !over {
			t.Errorf("%s: over %t, %v", name, over, err)
			continue
		}
		s, err := parseStations(all)
		if (err != nil) != c.fails || deref(s.signalDBM) != c.signal || deref(s.rateMbps) != c.mbps {
			t.Errorf("%s: signal %v, rate %v, %v", name, deref(s.signalDBM), deref(s.rateMbps), err)
		}
	}
}

func deref(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}

func TestParseMessagesTellsErrors(t *testing.T) {
	refused := answer(unix.NLMSG_ERROR, 7, u32(uint32(^uint32(0)-uint32(unix.EOPNOTSUPP)+1)))
	if _, _, err := parseMessages(refused, 7); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("an error of the kernel: %v", err)
	}
	if all, over, err := parseMessages(answer(unix.NLMSG_ERROR, 7, u32(0)), 7); err != nil || !over || len(all) != 0 {
		t.Errorf("an acknowledgement: %v, %t, %v", all, over, err)
	}
	for _, cut := range [][]byte{answer(28, 7, stationBytes())[:40], answer(unix.NLMSG_ERROR, 7, []byte{1}), {1, 0, 0, 0, 28, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0}} {
		if _, _, err := parseMessages(cut, 7); err == nil {
			t.Errorf("% x is taken", cut)
		}
	}
}

// The family of the families is on every Linux, and its number is fixed
// (linux/genetlink.h).
func TestGenetlinkAsksTheKernel(t *testing.T) {
	c, err := dialGenetlink()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if id, err := c.family("nlctrl"); err != nil || id != unix.GENL_ID_CTRL {
		t.Errorf("nlctrl: %d, %v", id, err)
	}
	if _, err := c.family("tonprobe"); err == nil {
		t.Error("a family that is not there has a number")
	}
	if s, err := stationOf(1); err == nil {
		t.Errorf("loopback has an access point: %+v", s)
	}
}

func FuzzStations(f *testing.F) {
	f.Add(slices.Concat(answer(28, 1, stationBytes(attribute(staSignal, dbm(-70)))), answer(unix.NLMSG_DONE, 1, make([]byte, 4))))
	f.Add(answer(28, 1, stationBytes(nest(staTxBitrate, attribute(rateBitrate32, u32(7)))))[:50])
	f.Fuzz(func(t *testing.T, b []byte) {
		all, _, err := parseMessages(b, 1)
		if err != nil {
			return
		}
		s, _ := parseStations(all)
		if s.signalDBM != nil && !isSignal(*s.signalDBM) || s.rateMbps != nil && !(*s.rateMbps > 0 && *s.rateMbps < 1e6) {
			t.Errorf("signal %v, rate %v", deref(s.signalDBM), deref(s.rateMbps))
		}
	})
}
