package bbb_test

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestFarServer: the time limits of the steps suffice for a server with a round trip of
// 300 ms.
func TestFarServer(t *testing.T) {
	t.Parallel()
	for _, rtt := range conferencetest.RoundTrips(t) {
		for _, version := range []string{"2.7", "3.0", "4.0"} {
			t.Run(version+" at "+rtt.String(), func(t *testing.T) {
				t.Parallel()
				r := bbbrig.Start(t, bbbrig.Config{Version: version})
				e := probetest.Env(t)
				e.Net = conferencetest.Far(e.Net, rtt)
				v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, r.JoinLink()), RootCAs: r.Roots, Direct: true}, e)
				defer v.Close()
				began := time.Now()
				bbb.System{}.Check(t.Context(), v)
				t.Logf("%.1f s", time.Since(began).Seconds())
				conferencetest.Want(t, v.Data, heard)
				for _, c := range v.Data.Checks {
					if c.MS != nil {
						t.Logf("%s %.0f ms", c.Name, *c.MS)
					}
				}
				if !r.Left(8 * time.Second) {
					t.Errorf("left behind: %+v, want nothing", r.Count())
				}
			})
		}
	}
}
