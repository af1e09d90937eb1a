package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/server/fleet"
)

// evening is one simulated council evening. The generator shares nothing with the model:
// fault rates differ between people, and disturbed people repeat their checks.
type evening struct {
	observations []fleet.Observation
	truth        []fault
	begin        time.Time // of the session
}

// fault is a common cause as it was simulated.
type fault struct {
	code, key string
	from      time.Duration // before the session begins; negative means after
	share     float64       // of the group that is disturbed
	noticed   *int          // participants with a check that the fault disturbed
}

func (f fault) String() string {
	return fmt.Sprintf("%s %s, %.0f %% from %v before", f.code, f.key, 100*f.share, f.from)
}

// person is a member of the council.
type person struct {
	name, provider, site, version string
	line, sound                   float64 // probabilities of a fault of the person's own
	wifi                          float64 // share of line faults that are reported as local
}

// town contains the people and the server for which evenings are generated.
type town struct {
	people []person
	server string
}

func makeTown(r *rand.Rand, size int) town {
	t := town{server: "bbb.example.org"}
	providers := []string{"P0", "P0", "P0", "P0", "P1", "P1", "P1", "P2", "P2", "P3"}
	office := 3 + r.IntN(1+size/4)
	for i := range size {
		p := person{name: fmt.Sprintf("p%03d", i), version: "1.4.0 windows", line: 0.01 + 0.12*r.Float64()*r.Float64(), sound: 0.02 + 0.2*r.Float64()*r.Float64(), wifi: 0.5}
		if r.Float64() < 0.05 {
			p.line = 0.6 // a poor line every evening
		}
		if r.Float64() < 0.3 {
			p.version = "1.3.9 windows"
		}
		if r.Float64() < 0.1 {
			p.version = "1.4.0 darwin"
		}
		p.provider = providers[r.IntN(len(providers))]
		p.site = fmt.Sprintf("%s-home-%d", p.provider, r.IntN(4*size))
		if i < office { // the parliamentary groups' rooms in the town hall
			p.provider, p.site = "P4", "town-hall"
		}
		t.people = append(t.people, p)
	}
	return t
}

func (t town) members(f fault) []int {
	var all []int
	for i, p := range t.people {
		if f.code == fleet.CodeServer || f.code == fleet.CodeProvider && p.provider == f.key ||
			f.code == fleet.CodeSite && p.site == f.key || f.code == fleet.CodeVersion && p.version == f.key {
			all = append(all, i)
		}
	}
	return all
}

// evening simulates the checks from 60 minutes before the session to 20 minutes after it
// begins, and those of the afternoon.
func (t town) evening(r *rand.Rand, faults []fault) evening {
	begin := time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC)
	e := evening{begin: begin, truth: faults}
	hit := make([]map[int]bool, len(faults))
	for k, f := range faults {
		hit[k] = map[int]bool{}
		e.truth[k].noticed = new(int)
		for _, i := range t.members(f) {
			if r.Float64() < f.share {
				hit[k][i] = true
			}
		}
	}
	for i, p := range t.people {
		noticed := make([]bool, len(faults))
		at := begin.Add(-5*time.Hour + time.Duration(r.Float64()*float64(2*time.Hour)))
		lineTonight, soundTonight := r.Float64() < p.line, r.Float64() < p.sound
		if r.Float64() < 0.5 {
			e.observations = append(e.observations, t.check(r, p, at, r.Float64() < p.line, r.Float64() < p.sound, nil))
		}
		at = begin.Add(-time.Duration((1 - r.Float64()*r.Float64()) * float64(60*time.Minute)))
		end := begin.Add(20 * time.Minute)
		for at.Before(end) {
			var own []fault
			for k, f := range faults {
				if hit[k][i] && !at.Before(begin.Add(-f.from)) {
					own = append(own, f)
					if !noticed[k] {
						noticed[k] = true
						*e.truth[k].noticed++
					}
				}
			}
			o := t.check(r, p, at, lineTonight, soundTonight, own)
			e.observations = append(e.observations, o)
			if o.Found == 0 && r.Float64() < 0.6 { // not disturbed; checks again if disturbed later
				at = at.Add(time.Duration((0.5 + r.Float64()) * float64(25*time.Minute)))
				continue
			}
			if o.Found&fleet.Sound != 0 && r.Float64() < 0.7 {
				soundTonight = false // repaired
			}
			at = at.Add(time.Duration((0.3 + r.Float64()) * float64(6*time.Minute)))
		}
	}
	slices.SortFunc(e.observations, func(a, b fleet.Observation) int { return a.At.Compare(b.At) })
	return e
}

func (t town) check(r *rand.Rand, p person, at time.Time, line, sound bool, faults []fault) fleet.Observation {
	o := fleet.Observation{
		Participant: p.name, At: at, Server: t.server, Provider: p.provider, Site: p.site, Version: p.version,
		Measured: fleet.Conference | fleet.OwnServer | fleet.Line | fleet.Local | fleet.Sound | fleet.Program,
	}
	if line {
		if r.Float64() < p.wifi {
			o.Found |= fleet.Local
		} else {
			o.Found |= fleet.Line
		}
	}
	if sound {
		o.Found |= fleet.Sound
	}
	for _, f := range faults {
		switch {
		case r.Float64() < 0.07: // an intermittent fault, which this check missed
		case f.code == fleet.CodeServer && f.key == fleet.Own:
			o.Found |= fleet.OwnServer
		case f.code == fleet.CodeServer && r.Float64() < 0.7:
			o.Found |= fleet.Conference
		case f.code == fleet.CodeSite && r.Float64() < 0.5:
			o.Found |= fleet.Local
		case f.code == fleet.CodeVersion && r.Float64() < 0.7:
			o.Found |= fleet.Sound
		case f.code == fleet.CodeVersion:
			o.Found |= fleet.Program
		case f.code == fleet.CodeProvider && r.Float64() < 0.2:
			o.Found |= fleet.Conference // the server cannot be reached through this provider
		default:
			o.Found |= fleet.Line
		}
	}
	return o
}

// shown returns the findings that phone support would have seen when looking once a
// minute.
func (e evening) shown(base fleet.Base) []string {
	var all []string
	for at := e.begin.Add(-time.Hour); at.Before(e.begin.Add(20 * time.Minute)); at = at.Add(time.Minute) {
		for _, f := range fleet.Find(at, e.observations, base) {
			if name := f.Code + " " + f.Key; !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all
}
