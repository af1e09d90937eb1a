package web

import (
	"slices"
	"strconv"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
)

// commonID is the id of the element with the common causes.
const commonID = "common"

// common contains the present common causes (see package fleet).
type common struct {
	Causes []commonCause
}

// commonCause is one common cause in words.
type commonCause struct {
	Title    string
	Evidence string
	Action   string // for support; "" on the projector
	Say      string // for the caller; "" on the projector, and if the answer contains it
}

// ElementID returns the id of the HTML element.
func (common) ElementID() string { return commonID }

func (v view) common(findings []fleet.Finding) common {
	var c common
	for _, f := range findings {
		kind := f.Kind()
		c.Causes = append(c.Causes, commonCause{
			Title: v.T("common."+kind, "key", clean(f.Key, maxNameRunes)),
			Evidence: v.T("common.evidence", "affected", strconv.Itoa(len(f.Affected)), "members", strconv.Itoa(f.Members),
				"others", strconv.Itoa(f.ElsewhereAffected), "all_others", strconv.Itoa(f.ElsewhereMembers),
				"usual", strconv.Itoa(int(f.UsualPct+0.5)), "from", f.From.In(v.zone).Format("15:04")),
			Action: v.T("common.do_" + kind),
			Say:    v.T("common.say"),
		})
	}
	return c
}

// commonInRoom returns the common causes for a screen that everybody in the room can read: the cause and how many are
// affected. The network of a place is left out, because it may belong to a household.
func (v view) commonInRoom(findings []fleet.Finding) common {
	var c common
	for _, f := range findings {
		kind := f.Kind()
		title := v.T("common."+kind, "key", clean(f.Key, maxNameRunes))
		if f.Code == fleet.CodeSite {
			title = v.T("common.room_site")
		}
		c.Causes = append(c.Causes, commonCause{Title: title,
			Evidence: v.T("common.room_evidence", "affected", strconv.Itoa(len(f.Affected)), "members", strconv.Itoa(f.Members))})
	}
	return c
}

// concerning returns the findings that affect one of the participants.
func concerning(participants map[string]bool, findings []fleet.Finding) []fleet.Finding {
	var found []fleet.Finding
	for _, f := range findings {
		if slices.ContainsFunc(f.Affected, func(id string) bool { return participants[id] }) {
			found = append(found, f)
		}
	}
	return found
}

// explain lets the answer begin with what a common cause means for the caller, if one of the findings explains the
// check. What the caller could do alone comes second, and the participant is not named as responsible.
func (p *participantPage) explain(v view, findings []fleet.Finding) {
	c := p.Check
	if c == nil || c.found == nil {
		return
	}
	i := slices.IndexFunc(findings, func(f fleet.Finding) bool { return !c.at.Before(f.From) && f.Explains(*c.found) })
	if i < 0 {
		return
	}
	c.CommonSay = v.T("common.say")
	for i := range p.Common.Causes {
		p.Common.Causes[i].Say = "" // the answer contains it
	}
	switch {
	case c.found.Area != report.AreaParticipant:
	case findings[i].Code == fleet.CodeProvider:
		c.Primary.Area = v.area(report.AreaProvider)
	default:
		c.Primary.Area = v.area(report.AreaUnknown)
	}
}
