package adapter

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Commands and attributes of nl80211 (linux/nl80211.h).
const (
	cmdGetStation = 17
	cmdNewStation = 19

	attrIfindex = 3
	attrStaInfo = 21

	staSignal    = 7 // of the latest frame, dBm, signed byte
	staTxBitrate = 8
	staSignalAvg = 13

	rateBitrate   = 1 // 16 bit, 100 kbit/s
	rateBitrate32 = 5 // the same in 32 bit
)

// station is the driver's information about the access point; nil if unknown.
type station struct {
	signalDBM *float64
	rateMbps  *float64
}

// stationOf queries the kernel for the access point of an interface. It needs no privileges. The response contains its name
// and address, which are not parsed.
func stationOf(index int) (station, error) {
	c, err := dialGenetlink()
	if err != nil {
		return station{}, err
	}
	defer c.close()
	family, err := c.family("nl80211")
	if err != nil {
		return station{}, fmt.Errorf("find nl80211: %w", err)
	}
	request := attribute(attrIfindex, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	answers, err := c.ask(family, cmdGetStation, unix.NLM_F_DUMP, request)
	if err != nil {
		return station{}, fmt.Errorf("ask for the access point: %w", err)
	}
	return parseStations(answers)
}

// parseStations parses the responses. More than one station means an access point or a mesh, where none of them is the uplink.
func parseStations(answers []message) (s station, err error) {
	found := 0
	for _, m := range answers {
		if m.command != cmdNewStation {
			continue
		}
		found++
		s = parseStation(m.attributes)
	}
	if found != 1 {
		return station{}, fmt.Errorf("%d stations in place of one", found)
	}
	return s, nil
}

func parseStation(b []byte) (s station) {
	for kind, info := range attributes(b) {
		if kind != attrStaInfo {
			continue
		}
		for kind, value := range attributes(info) {
			switch {
			case kind == staSignalAvg && len(value) >= 1, kind == staSignal && len(value) >= 1 && s.signalDBM == nil:
				if dbm := float64(int8(value[0])); isSignal(dbm) {
					s.signalDBM = &dbm
				}
			case kind == staTxBitrate:
				s.rateMbps = parseRate(value)
			}
		}
	}
	return s
}

func parseRate(b []byte) (mbps *float64) {
	for kind, value := range attributes(b) {
		units := uint32(0)
		switch {
		case kind == rateBitrate32 && len(value) >= 4:
			units = binary.NativeEndian.Uint32(value)
		case kind == rateBitrate && len(value) >= 2 && mbps == nil:
			units = uint32(binary.NativeEndian.Uint16(value))
		}
		if units > 0 && units < 1e7 {
			mbps = new(float64(units) / 10)
		}
	}
	return mbps
}

var errNoFamily = errors.New("the kernel does not know it")
