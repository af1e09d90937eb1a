package voices

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Matrix summarises the diagnoses per true cause.
type Matrix struct {
	judged []Judged
}

// NewMatrix returns the matrix of judged.
func NewMatrix(judged []Judged) Matrix { return Matrix{judged} }

// Faulty returns the number of recordings with a fault, and for how many of them the
// primary cause was the true one.
func (m Matrix) Faulty() (total, right int) {
	return count(m.judged, func(j Judged) bool { return j.Fixture.Truth != Healthy })
}

// Healthy returns the number of recordings without a fault, and how many of them raised
// no warning or failure.
func (m Matrix) Healthy() (total, right int) {
	return count(m.judged, func(j Judged) bool { return j.Fixture.Truth == Healthy })
}

func count(judged []Judged, of func(Judged) bool) (total, right int) {
	for _, j := range judged {
		if !of(j) {
			continue
		}
		total++
		if j.Right() {
			right++
		}
	}
	return total, right
}

// Share returns right as a percentage of total.
func Share(right, total int) float64 { return 100 * float64(right) / float64(max(total, 1)) }

// Print writes the matrix as text.
func (m Matrix) Print(w io.Writer) error {
	total, right := m.Faulty()
	healthy, quiet := m.Healthy()
	fmt.Fprintf(w, "faulty:  %d of %d with the right primary cause (%.1f %%)\n", right, total, Share(right, total))
	fmt.Fprintf(w, "healthy: %d of %d without a warning (%.1f %%)\n\n", quiet, healthy, Share(quiet, healthy))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "truth\tfixtures\tright\tshare\ttaken for")
	for _, truth := range m.truths() {
		judged := m.where(func(j Judged) bool { return j.Fixture.Truth == truth })
		n, right := count(judged, func(Judged) bool { return true })
		fmt.Fprintf(t, "%s\t%d\t%d\t%.0f %%\t%s\n", name(truth), n, right, Share(right, n), cmp.Or(strings.Join(mistakes(judged), ", "), "-"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(t, "\nkind\tright of fixtures, by strength")
	for _, kind := range m.kinds() {
		fmt.Fprintf(t, "%s: %s\t%s\n", name(kind.Truth), kind.Kind, strings.Join(m.byStrength(kind), ", "))
	}
	return t.Flush()
}

// PrintMistakes writes each misjudged recording with its causes.
func (m Matrix) PrintMistakes(w io.Writer) error {
	for _, j := range m.judged {
		if j.Right() {
			continue
		}
		_, err := fmt.Fprintf(w, "%s: truth %s, said %s\n    %s\n    %s\n",
			j.Fixture.Name(), name(j.Fixture.Truth), name(j.Outcome.Code()), causes(j.Outcome.Causes), figures(j.Outcome.Input))
		if err != nil {
			return err
		}
	}
	return nil
}

func (m Matrix) where(of func(Judged) bool) []Judged {
	var some []Judged
	for _, j := range m.judged {
		if of(j) {
			some = append(some, j)
		}
	}
	return some
}

// truths returns the true causes in the catalogue's order, Healthy first.
func (m Matrix) truths() []string {
	truths := []string{Healthy}
	for _, d := range diagnose.Catalogue() {
		if slices.ContainsFunc(m.judged, func(j Judged) bool { return j.Fixture.Truth == d.Code }) {
			truths = append(truths, d.Code)
		}
	}
	return truths
}

// kinds returns one fixture of each truth and kind, in the order of the truths.
func (m Matrix) kinds() []Fixture {
	var kinds []Fixture
	for _, truth := range m.truths() {
		for _, j := range m.judged {
			f := j.Fixture
			if f.Truth == truth && !slices.ContainsFunc(kinds, func(k Fixture) bool { return k.Truth == f.Truth && k.Kind == f.Kind }) {
				kinds = append(kinds, f)
			}
		}
	}
	return kinds
}

// byStrength returns the number of right and of all diagnoses for each strength of a kind.
func (m Matrix) byStrength(kind Fixture) []string {
	var order []string
	total, right := map[string]int{}, map[string]int{}
	for _, j := range m.where(func(j Judged) bool { return j.Fixture.Truth == kind.Truth && j.Fixture.Kind == kind.Kind }) {
		s := j.Fixture.Strength
		if total[s] == 0 {
			order = append(order, s)
		}
		total[s]++
		if j.Right() {
			right[s]++
		}
	}
	var out []string
	for _, s := range order {
		out = append(out, fmt.Sprintf("%s: %d of %d", s, right[s], total[s]))
	}
	return out
}

// mistakes lists the wrong diagnoses, the most frequent first.
func mistakes(judged []Judged) []string {
	taken := map[string]int{}
	for _, j := range judged {
		if !j.Right() {
			taken[name(j.Outcome.Code())]++
		}
	}
	codes := slices.SortedFunc(maps.Keys(taken), func(a, b string) int {
		return cmp.Or(cmp.Compare(taken[b], taken[a]), cmp.Compare(a, b))
	})
	var out []string
	for _, code := range codes {
		out = append(out, fmt.Sprintf("%s %d", code, taken[code]))
	}
	return out
}

func name(code string) string {
	if code == Healthy {
		return "healthy"
	}
	return strings.TrimPrefix(code, "audio.")
}

func causes(all []report.Cause) string {
	var out []string
	for _, c := range all {
		s := fmt.Sprintf("%s %s %.2f", c.Code, c.Severity, c.Confidence)
		for _, e := range c.Evidence {
			s += fmt.Sprintf(" %s=%v", e.Field, e.Value)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// figures formats the measurements that most rules use.
func figures(d *report.AudioInput) string {
	var out []string
	for _, f := range []struct {
		name  string
		value *float64
	}{
		{"speech", d.SpeechMS}, {"active", d.ActiveLevelDBFS}, {"rms", d.RMSDBFS}, {"peak", d.PeakDBFS}, {"floor", d.NoiseFloorDBFS},
		{"snr", d.SNRDB}, {"voice band level", d.VoiceBandLevelDBFS}, {"voice band floor", d.VoiceBandNoiseDBFS},
		{"voice band snr", d.VoiceBandSNRDB}, {"hum", d.HumDBFS}, {"hum above", d.HumProminenceDB}, {"band ratio", d.BandRatioDB},
		{"clipped %", d.ClippedPct}, {"correlation", d.ChannelCorrelation}, {"dc", d.DCOffset}, {"zero ms", d.DigitalZeroMS},
	} {
		if f.value != nil {
			out = append(out, fmt.Sprintf("%s %g", f.name, *f.value))
		}
	}
	for _, f := range []struct {
		name  string
		value *int
	}{{"clipped runs", d.ClippedRuns}, {"upstream runs", d.ClippedUpstreamRuns}, {"dropouts", d.Dropouts}} {
		if f.value != nil {
			out = append(out, fmt.Sprintf("%s %d", f.name, *f.value))
		}
	}
	return strings.Join(out, ", ")
}
