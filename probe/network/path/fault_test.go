package path

import (
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
)

// of returns a stream of fifty packets with the given number of lost ones; hop has
// eight packets.
func of(lost int) *periodic.Stream {
	return &periodic.Stream{Sent: 50, RTTs: make([]time.Duration, 50-lost)}
}
func hop(lost int) *periodic.Stream {
	return &periodic.Stream{Sent: 8, RTTs: make([]time.Duration, 8-lost)}
}

func TestLocateFault(t *testing.T) {
	var none *periodic.Stream
	silent := of(50)
	for name, c := range map[string]struct {
		lan, access, transit, server *periodic.Stream
		want                         string
	}{
		"no loss":                                  {of(0), hop(0), of(0), of(0), "none"},
		"one packet each":                          {of(1), hop(1), of(1), of(1), "none"},
		"three are chance":                         {of(3), hop(2), of(3), of(3), "none"},
		"Wi-Fi":                                    {of(15), hop(3), of(17), of(16), "lan"},
		"weak loss on Wi-Fi":                       {of(5), hop(1), of(6), of(5), "lan"},
		"Wi-Fi, provider's router silent":          {of(15), silent, of(17), of(16), "lan"},
		"Wi-Fi, provider's router limits":          {of(15), hop(7), of(17), of(16), "lan"},
		"Wi-Fi, fewer losses at one end by chance": {of(22), hop(4), of(8), of(20), "lan"},
		"Wi-Fi, without a conference":              {of(15), hop(3), of(16), none, "lan"},
		"access line":                              {of(0), hop(4), of(15), of(17), "access"},
		"access line, router silent":               {of(0), silent, of(15), of(17), "access"},
		"access line, router limits":               {of(0), hop(7), of(15), of(15), "access"},
		"access line, without a conference":        {of(0), hop(4), of(15), none, "access"},
		"access line, over TCP":                    {of(0), hop(4), of(15), &periodic.Stream{Sent: 20, RTTs: make([]time.Duration, 14)}, "access"},
		"beyond the provider":                      {of(0), hop(0), of(18), of(20), "transit"},
		"too few losses to tell whether Wi-Fi":     {of(2), hop(1), of(6), of(4), ""},
		"only the server":                          {of(0), hop(0), of(0), of(16), "server"},
		"only the server, routers silent":          {silent, silent, of(0), of(16), "server"},
		"only the server, routers limit":           {of(0), hop(6), of(0), of(16), "server"},
		"slightly more at the server":              {of(0), hop(0), of(3), of(4), ""},
		"only our collector":                       {of(0), hop(0), of(16), of(0), ""},
		"our collector, no conference":             {of(0), hop(0), of(16), none, ""},
		"server, collector silent":                 {of(0), hop(0), silent, of(16), ""},
		"router limits, no other loss":             {of(0), hop(7), of(0), of(0), "none"},
		"home router limits, no other loss":        {of(34), hop(0), of(0), of(0), "none"},
		"home router limits, access line bad":      {of(40), hop(2), of(10), of(10), ""},
		"home router bad, the next one is not":     {of(20), hop(0), of(20), of(20), "lan"}, // three equal streams outweigh eight packets
		"home router silent":                       {silent, hop(4), of(16), of(16), ""},
		"tunnel":                                   {none, none, of(16), of(16), ""},
		"both ends silent":                         {of(0), hop(0), silent, silent, ""},
		"nothing":                                  {none, none, none, none, ""},
		"nothing sent":                             {&periodic.Stream{}, &periodic.Stream{}, &periodic.Stream{}, &periodic.Stream{}, ""},
		"too few":                                  {of(0), hop(0), &periodic.Stream{Sent: 5, RTTs: make([]time.Duration, 1)}, none, ""},
	} {
		if got := locateFault(c.lan, c.access, c.transit, c.server); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestLocateFaultRequiresLossToTheServer: if the server's stream has no loss, no segment
// is reported, whatever the other figures are.
func TestLocateFaultRequiresLossToTheServer(t *testing.T) {
	for lan := range 51 {
		for access := range 9 {
			for transit := range 51 {
				if got := locateFault(of(lan), hop(access), of(transit), of(0)); got != noFault && got != cannotTell {
					t.Fatalf("lost %d, %d, %d, 0: got %q, want %q or %q", lan, access, transit, got, noFault, cannotTell)
				}
			}
		}
	}
}

// at returns a stream of packets every 50 ms in which the given ones were lost.
func at(lost ...int) *periodic.Stream {
	s := &periodic.Stream{Fates: map[time.Duration]bool{}}
	for i := range 100 {
		answered := !slices.Contains(lost, i)
		s.Sent++
		s.Fates[time.Duration(i)*echoPace.Every] = answered
		if answered {
			s.RTTs = append(s.RTTs, time.Millisecond)
		}
	}
	return s
}

func row(from, n int) (numbers []int) {
	for i := range n {
		numbers = append(numbers, from+i)
	}
	return numbers
}

// TestLocateFaultInStep: streams that are sent at the same times: a loss on their
// common path affects all of them.
func TestLocateFaultInStep(t *testing.T) {
	var none *periodic.Stream
	scattered := []int{3, 17, 29, 44, 58, 61, 77, 90}
	for name, c := range map[string]struct {
		lan, access, transit, server *periodic.Stream
		want                         string
	}{
		"a burst on Wi-Fi in all streams":            {at(row(40, 9)...), at(row(40, 9)...), at(row(40, 9)...), at(row(40, 9)...), "lan"},
		"Wi-Fi, and slightly more on the line":       {at(row(40, 9)...), at(row(40, 12)...), at(row(40, 12)...), none, "lan"},
		"a burst on the line, not to the router":     {at(), at(row(40, 9)...), at(row(40, 9)...), none, "access"},
		"a burst on the line, its router silent":     {at(), none, at(row(40, 9)...), at(row(40, 9)...), "access"},
		"six in a hundred on the line":               {at(), at(scattered[:6]...), at(scattered[1:7]...), none, "access"},
		"the only server, no loss on the line":       {at(), at(), at(scattered...), none, "server"},
		"the only server, router silent":             {at(), none, at(scattered...), none, ""},
		"both servers, no loss on the line":          {at(), at(), at(scattered...), at(scattered...), "transit"},
		"only the conference server":                 {at(), at(), at(), at(scattered...), "server"},
		"only our collector":                         {at(), at(), at(scattered...), at(), ""},
		"the provider's router limits its responses": {at(), at(row(10, 80)...), at(), none, "none"},
		"it limits, and the server loses":            {at(), at(row(10, 80)...), at(scattered...), none, ""},
		"one in a hundred everywhere":                {at(5), at(50), at(70), at(90), "none"},
	} {
		if got := locateFault(c.lan, c.access, c.transit, c.server); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
