package intake

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/roster"
	"github.com/tonprobe/tonprobe/server/store"
)

// Table plans the import of a table of people. Those of a line without a council belong to the
// given one, "" for none. Nobody leaves a council. A *roster.TableError lists the lines that
// cannot be imported.
func (d Importer) Table(ctx context.Context, entries []roster.Entry, council string) (*Plan, error) {
	p := d.planner()
	p.codes = true
	wrong := &roster.TableError{}
	join := map[string][]string{} // names of councils: ids
	var councils []string
	for _, e := range entries {
		one, err := p.person(ctx, e.Name, e.Phone, "")
		if gone, ok := errors.AsType[*erasedError](err); ok {
			p.leaveOut(Erased{Line: e.Line, Name: e.Name, ErasedAt: gone.at})
			continue
		}
		if input, ok := errors.AsType[*enroll.InputError](err); ok {
			wrong.Add(e.Line, "%s", input.Problem)
			continue
		}
		if errors.Is(err, errAmbiguous) {
			wrong.Add(e.Line, "%.80s: %v", e.Name, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		one.Line, one.Email, one.Council = e.Line, e.Email, e.Council
		if one.Council == "" {
			one.Council = council
		}
		one.PhoneUnlikely = e.Phone != "" && !strings.ContainsAny(e.Phone[:1], "0+(")
		p.plan.People = append(p.plan.People, one)
		if name := one.Council; name != "" {
			if join[name] == nil {
				councils = append(councils, name)
			}
			if id := one.Invitation.Participant.ID; !slices.Contains(join[name], id) {
				join[name] = append(join[name], id)
			}
		}
	}
	for _, name := range councils {
		if err := p.join(ctx, name, join[name]); err != nil {
			if input, ok := errors.AsType[*store.InputError](err); ok {
				line := slices.IndexFunc(p.plan.People, func(o Person) bool { return o.Council == name })
				wrong.Add(p.plan.People[line].Line, "%s", input.Problem)
				continue
			}
			return nil, err
		}
	}
	if len(wrong.Problems) > 0 {
		return nil, wrong
	}
	return p.plan, nil
}

// join plans to make participants members of a council.
func (p *planner) join(ctx context.Context, name string, ids []string) error {
	c, err := p.council(ctx, name)
	if err != nil {
		return err
	}
	members, err := p.members(ctx, c)
	if err != nil {
		return err
	}
	change := store.MemberChange{CouncilID: c.ID}
	for _, id := range ids {
		if _, already := members[id]; already {
			continue
		}
		change.Add = append(change.Add, id)
		i := slices.IndexFunc(p.plan.People, func(o Person) bool { return o.Invitation.Participant.ID == id })
		c.Joined = append(c.Joined, p.plan.People[i].Invitation.Participant.Name)
	}
	if len(change.Add) > 0 {
		p.plan.change.Members = append(p.plan.change.Members, change)
	}
	return nil
}
