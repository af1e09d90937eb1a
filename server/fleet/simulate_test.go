package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/fleet"
)

// simulate returns an evening of the given kind in a town of the given size (0 means 15
// to 114 people), in which each fault disturbs at least least participants.
func simulate(r *rand.Rand, kind string, size, least int) evening {
	if size == 0 {
		size = 15 + r.IntN(100)
	}
	for ; ; size++ {
		t := makeTown(r, size)
		e := t.evening(r, t.faults(r, kind))
		if !slices.ContainsFunc(e.truth, func(f fault) bool { return *f.noticed < least }) {
			return e
		}
	}
}

// faults generates the faults of an evening. Those of a mixed evening are independent.
func (t town) faults(r *rand.Rand, kind string) []fault {
	f := fault{from: time.Duration((r.Float64()*50 - 5) * float64(time.Minute)), share: 0.6 + 0.4*r.Float64()}
	switch kind {
	case "none":
		return nil
	case "mixed":
		one := []string{"provider", "site"}[r.IntN(2)]
		other := []string{"own server", "version"}[r.IntN(2)]
		return append(t.faults(r, one), t.faults(r, other)...)
	case "server":
		f.code, f.key = fleet.CodeServer, t.server
	case "own server":
		f.code, f.key = fleet.CodeServer, fleet.Own
	case "provider":
		f.code, f.key = fleet.CodeProvider, []string{"P0", "P1", "P2"}[r.IntN(3)]
	case "site":
		f.code, f.key = fleet.CodeSite, "town-hall"
	case "version":
		f.code, f.key, f.from = fleet.CodeVersion, []string{"1.3.9 windows", "1.4.0 darwin"}[r.IntN(2)], 2*time.Hour
	}
	return []fault{f}
}

func names(faults []fault) []string {
	var all []string
	for _, f := range faults {
		all = append(all, f.code+" "+f.key)
	}
	slices.Sort(all)
	return all
}

// evenings are the simulated evenings of the test.
var evenings = []struct {
	kind string
	n    int
}{{"none", 60}, {"server", 30}, {"own server", 15}, {"provider", 35}, {"site", 20}, {"version", 15}, {"mixed", 25}}

// repeated returns how often each evening is simulated with different random numbers:
// once, or TONPROBE_FLEET_REPEAT times for the figures in docs/fleet.md.
func repeated(t *testing.T) int {
	value := os.Getenv("TONPROBE_FLEET_REPEAT")
	if value == "" {
		return 1
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		t.Fatalf("TONPROBE_FLEET_REPEAT=%q, want a number from 1", value)
	}
	return n
}

// TestEvenings checks that the findings are exactly the simulated faults in 95 % of the
// evenings with a fault, and that less than 1 % of the evenings without one have a
// finding.
func TestEvenings(t *testing.T) {
	need.Full(t, "simulates 200 evenings")
	var rightAll, ofAll int
	for _, c := range evenings {
		right, n := 0, c.n*repeated(t)
		for seed := range uint64(n) {
			e := simulate(rand.New(rand.NewPCG(seed, 11)), c.kind, 0, 6)
			got, want := e.shown(fleet.Base{}), names(e.truth)
			if slices.Equal(got, want) {
				right++
			} else {
				t.Logf("%s %d: got %q, simulated %v", c.kind, seed, got, e.truth)
			}
		}
		t.Logf("| %s | %d of %d | %.1f %% |", c.kind, right, n, 100*float64(right)/float64(n))
		if c.kind != "none" {
			rightAll, ofAll = rightAll+right, ofAll+n
		} else if right <= n*99/100 {
			t.Errorf("quiet evenings without a banner: %d of %d, want more than 99 %%", right, n)
		}
	}
	if rightAll*100 < ofAll*95 {
		t.Errorf("right causes: %d of %d, want 95 %%", rightAll, ofAll)
	}
}

// TestAffectedCurve prints how often a fault of a provider is found, by the number of
// participants that it disturbs, in a council of 60. It fails if six are not sufficient.
func TestAffectedCurve(t *testing.T) {
	need.Full(t, "simulates 140 evenings")
	for _, affected := range []int{2, 3, 4, 5, 6, 8, 10} {
		found, n := 0, 20*repeated(t)
		for seed := range uint64(n) {
			r := rand.New(rand.NewPCG(seed, uint64(affected)))
			town := makeTown(r, 60)
			for i := range town.people {
				if town.people[i].provider == "P3" {
					town.people[i].provider = "P0"
				}
			}
			for i := range affected {
				p := &town.people[len(town.people)-1-i]
				p.provider, p.site = "P3", fmt.Sprintf("P3-home-%d", i)
			}
			for {
				e := town.evening(r, []fault{{code: fleet.CodeProvider, key: "P3", from: 10 * time.Minute, share: 1}})
				if *e.truth[0].noticed == affected {
					if slices.Contains(e.shown(fleet.Base{}), fleet.CodeProvider+" P3") {
						found++
					}
					break
				}
			}
		}
		t.Logf("| %d | %d of %d |", affected, found, n)
		if affected < fleet.MinAffected && found > 0 || affected >= 6 && found*100 < n*95 {
			t.Errorf("a fault that disturbs %d of 60 was found on %d of %d evenings", affected, found, n)
		}
	}
}
