package probe

import (
	"errors"
	"fmt"
	"slices"
)

// Check returns an error for each reason why a plan cannot run: two steps of the same
// name, a step without a budget, a turn that does not state what it sends or that alone
// exceeds the line budget, a phase that is not declared, or steps that would wait for
// each other forever. Whether the line budget has room for all turns in time is verified
// by simulation (TestTimetable in agent/check).
func (p Plan) Check() error {
	var faults []error
	at := map[string]int{}
	for i, s := range p {
		name := s.Probe.Name()
		if _, twice := at[name]; twice {
			faults = append(faults, fmt.Errorf("plan: two steps have the name %s", name))
		}
		at[name] = i
	}
	for i, s := range p {
		name := s.Probe.Name()
		if s.Budget <= 0 {
			faults = append(faults, fmt.Errorf("plan: %s has no budget", name))
		}
		if !s.Exclusive {
			faults = append(faults, s.Turn.check(name))
		}
		var phases []string
		for _, phase := range s.Phases {
			if phase.Name == "" || slices.Contains(phases, phase.Name) {
				faults = append(faults, fmt.Errorf("plan: %s has two phases with the name %q, or one without a name", name, phase.Name))
			}
			phases = append(phases, phase.Name)
			if !s.Exclusive {
				faults = append(faults, phase.check(name+"/"+phase.Name))
			}
			faults = append(faults, p.checkMarks(at, name+"/"+phase.Name, phase.After))
		}
		if phased, ok := s.Probe.(Phased); ok {
			for _, phase := range phased.Phases() {
				if !slices.Contains(phases, phase) {
					faults = append(faults, fmt.Errorf("plan: the step of %s does not declare its phase %s", name, phase))
				}
			}
		}
		faults = append(faults, p.checkMarks(at, name, s.After))
		for _, m := range s.After {
			// Steps wait without limit only for earlier steps, which excludes cycles.
			if j, ok := at[m.Step]; ok && s.NotLater == 0 && j >= i {
				faults = append(faults, fmt.Errorf("plan: %s waits without limit for %s, which does not precede it", name, m.Step))
			}
		}
	}
	return errors.Join(faults...)
}

// checkMarks returns an error for a phase that its step does not have.
func (p Plan) checkMarks(at map[string]int, name string, after []Mark) error {
	for _, m := range after {
		i, ok := at[m.Step]
		if ok && m.Phase != "" && !slices.ContainsFunc(p[i].Phases, func(f Phase) bool { return f.Name == m.Phase }) {
			return fmt.Errorf("plan: %s waits for the phase %q of %s, which has none of that name", name, m.Phase, m.Step)
		}
	}
	return nil
}

func (t Turn) check(name string) error {
	if t.NotBefore < 0 || t.NotLater < 0 || t.NotLater > 0 && t.NotLater < t.NotBefore {
		return fmt.Errorf("plan: %s begins not before %v and not later than %v", name, t.NotBefore, t.NotLater)
	}
	if t.Sends == nil {
		return fmt.Errorf("plan: %s does not state what it sends", name)
	}
	before := Rate{UpKbps: LineBudgetKbps, DownKbps: LineBudgetKbps}
	for i, r := range t.Sends {
		switch {
		case r.UpKbps < 0 || r.DownKbps < 0 || r.For < 0 || r.For == 0 && i < len(t.Sends)-1:
			return fmt.Errorf("plan: %s sends %+v", name, r)
		case r.UpKbps > before.UpKbps || r.DownKbps > before.DownKbps:
			return fmt.Errorf("plan: %s sends %g kbit/s up and %g down: more than the line budget of %d, or than it sent before", name, r.UpKbps, r.DownKbps, LineBudgetKbps)
		}
		before = r
	}
	return nil
}
