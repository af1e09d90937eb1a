package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestSentencesNameTheServer: each sentence of a cause conf.* names the server that the cause
// refers to, and no other.
func TestSentencesNameTheServer(t *testing.T) {
	names := map[phrase.Lang]map[report.Endpoint][]string{
		phrase.DE: {
			report.EndpointNone:       {"geprüften Server", "geprüfte Server"},
			report.EndpointConference: {"Konferenz-Server", "öffentliche Übertragung"},
			report.EndpointCollector:  {"Prüf-Server"},
			report.EndpointReflector:  {"Prüf-Server"},
		},
		phrase.EN: {
			report.EndpointNone:       {"server that was checked"},
			report.EndpointConference: {"conference server", "public stream"},
			report.EndpointCollector:  {"check server"},
			report.EndpointReflector:  {"check server"},
		},
	}
	says := func(sentence string, words []string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(sentence, word) })
	}
	for _, d := range diagnose.Catalogue() {
		if !strings.HasPrefix(d.Code, "conf.") {
			continue
		}
		onlyConference := !slices.Contains(d.Needs, report.ProbeMediaVoice) && !slices.Contains(d.Needs, report.ProbeNetworkWeb) || d.Code == "conf.ingest_unreachable"
		for lang, of := range names {
			for endpoint, words := range of {
				want, others := words, slices.Concat(of[report.EndpointConference], of[report.EndpointCollector])
				if onlyConference {
					want = of[report.EndpointConference]
				}
				text, ok := diagnose.ExplainCause(report.Cause{Code: d.Code, Endpoint: endpoint}, lang)
				others = slices.DeleteFunc(others, func(word string) bool { return slices.Contains(want, word) })
				if !ok || !says(text.Sentence, want) || says(text.Sentence, others) {
					t.Errorf("%s %s of %q: got %q, want one of %q and none of %q", lang, d.Code, endpoint, text.Sentence, want, others)
				}
			}
		}
	}
}

// TestAddressOfTheMunicipality: a participant is not asked to correct an address that somebody
// else wrote.
func TestAddressOfTheMunicipality(t *testing.T) {
	for from, want := range map[string]struct {
		area  report.Area
		words string
	}{
		"participant":  {report.AreaUnknown, "richtig geschrieben"},
		"":             {report.AreaUnknown, "richtig geschrieben"},
		"municipality": {report.AreaMunicipality, "Konferenz-Servers"},
	} {
		r := healthy()
		r.Target = "https://bbb.example.org"
		*web(r) = report.NetworkWeb{DNSError: "not_found", Online: new(true), AddressFrom: from}
		diagnose.Finish(r, profile(t, "bbb"))
		c, ok := r.Primary()
		text, _ := diagnose.ExplainCause(c, phrase.DE)
		if !ok || c.Code != "net.dns_failure" || c.Area != want.area || !strings.Contains(text.Sentence+text.Action, want.words) {
			t.Errorf("%q: got %s, area %s, %q %q; want net.dns_failure, %s, %q", from, c.Code, c.Area, text.Sentence, text.Action, want.area, want.words)
		}
	}
}
