package web

import (
	"slices"
	"strconv"

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
	Action   string // for support
	Say      string // for the caller
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

// concerning returns the findings that explain a participant's fault.
func concerning(participantID string, findings []fleet.Finding) []fleet.Finding {
	var found []fleet.Finding
	for _, f := range findings {
		if slices.Contains(f.Affected, participantID) {
			found = append(found, f)
		}
	}
	return found
}
