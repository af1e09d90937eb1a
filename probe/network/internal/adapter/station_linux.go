package adapter

import (
	"fmt"
	"time"

	"github.com/mdlayher/wifi"
)

// kernelWait limits the wait for the kernel, which responds at once.
const kernelWait = 500 * time.Millisecond

// station is the driver's information about the access point; nil if unknown.
type station struct {
	signalDBM *float64
	rateMbps  *float64
}

// stationOf queries the kernel (nl80211) for the access point of an interface. It needs no privileges.
func stationOf(index int) (station, error) {
	c, err := wifi.New()
	if err != nil {
		return station{}, fmt.Errorf("find nl80211: %w", err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(kernelWait)); err != nil {
		return station{}, fmt.Errorf("limit the wait for nl80211: %w", err)
	}
	all, err := c.StationInfo(&wifi.Interface{Index: index})
	if err != nil {
		return station{}, fmt.Errorf("query the access point: %w", err)
	}
	return uplinkOf(all)
}

// uplinkOf returns the only station. More than one means an access point or a mesh, where none of them is the uplink.
func uplinkOf(all []*wifi.StationInfo) (s station, err error) {
	if len(all) != 1 {
		return station{}, fmt.Errorf("%d stations instead of one", len(all))
	}
	// The average, or the level of the latest frame if the driver has no average; 0
	// means neither.
	for _, dbm := range []int{all[0].SignalAverage, all[0].Signal} {
		if v := float64(dbm); isSignal(v) {
			s.signalDBM = &v
			break
		}
	}
	if bits := all[0].TransmitBitrate; bits > 0 {
		s.rateMbps = new(float64(bits) / 1e6)
	}
	return s, nil
}
