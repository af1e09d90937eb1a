package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// causesAddress is the address of the page about how often the named causes were right.
const causesAddress = "/causes"

// causesPage shows how often the named causes were right.
type causesPage struct {
	Total   int
	Rows    []truthRow
	Periods []order
}

// truthRow is a named cause with the true causes of its closed cases.
type truthRow struct {
	Sentence string
	Code     string
	Cases    int
	Right    int
	Wrong    int
	Unknown  int
	Share    string // "" if nothing is known
	Range    string
	Few      bool // too few cases for a judgement
	Instead  []instead
}

// instead is a true cause that differs from the named one.
type instead struct {
	Sentence string
	Cases    int
}

// fewCases is the number of cases below which a share is not significant.
const fewCases = 10

// periods are the days that the page can look back; 0 for all.
func periods() []int { return []int{30, 365, 0} }

func (s *site) causes(w http.ResponseWriter, r *http.Request) error {
	v := s.view(r)
	days, err := strconv.Atoi(r.URL.Query().Get("days"))
	if err != nil || days <= 0 || days > 3650 {
		days = 0
	}
	since := time.Time{}
	if days > 0 {
		since = v.now.AddDate(0, 0, -days)
	}
	counts, err := s.Store.CountCauses(r.Context(), since)
	if err != nil {
		return err
	}
	var body causesPage
	for _, p := range periods() {
		o := order{Word: v.T("truth.always"), Address: causesAddress, Current: p == days}
		if p > 0 {
			o.Word, o.Address = v.T("truth.days", "n", p), causesAddress+"?days="+strconv.Itoa(p)
		}
		body.Periods = append(body.Periods, o)
	}
	for _, t := range store.Truths(counts) {
		body.Total += t.Cases()
		body.Rows = append(body.Rows, v.truth(t))
	}
	s.show(w, r, page{Name: "causes", Body: body})
	return nil
}

func (v view) truth(t store.CauseTruth) truthRow {
	row := truthRow{Sentence: v.causeName(t.Named), Code: clean(t.Named, maxNameRunes), Cases: t.Cases(), Right: t.Right, Wrong: t.Wrong, Unknown: t.Unknown,
		Few: t.Right+t.Wrong < fewCases}
	if pct, low, high, ok := t.RightPct(); ok {
		row.Share = percentText(pct, t.Wrong)
		row.Range = v.T("truth.range", "low", percentText(low, t.Wrong), "high", percentText(high, t.Wrong))
	}
	for _, c := range t.Instead {
		row.Instead = append(row.Instead, instead{v.causeName(c.True), c.Cases})
	}
	return row
}

// percentText returns a percentage without decimals, because the number of cases is small. It is 100 %
// only if wrong is 0.
func percentText(pct float64, wrong int) string {
	if wrong > 0 {
		pct = min(pct, 99)
	}
	return strconv.FormatFloat(pct, 'f', 0, 64) + " %"
}
