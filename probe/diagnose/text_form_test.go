package diagnose_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestFormsAreAsShortAsTheRest: variants of a text are shown in the same place and have
// the same maximum length.
func TestFormsAreAsShortAsTheRest(t *testing.T) {
	for _, lang := range phrase.Langs() {
		b := texts(t, lang)
		for _, key := range b.Keys() {
			form := strings.HasPrefix(key, "cause.") && (strings.Contains(key, ".sentence_") || strings.Contains(key, ".action_")) &&
				!strings.HasSuffix(key, "_named") // these are shortened with the names in them
			if text := b.T(key); form && (utf8.RuneCountInString(text) > 100 || !strings.HasSuffix(text, ".")) {
				t.Errorf("%s %s: %d characters, want at most 100 and a full stop: %s", lang, key, utf8.RuneCountInString(text), text)
			}
		}
	}
}

// TestTextDependsOnTheEvidence: the action depends on which machine is in between. Nobody
// is told to weaken a virus scanner, and only those with a working direct connection
// are told to switch off a proxy.
func TestTextDependsOnTheEvidence(t *testing.T) {
	web := func(field string, value any) report.Evidence {
		return report.Evidence{Probe: report.ProbeNetworkWeb, Field: field, Value: value}
	}
	for name, c := range map[string]struct {
		code     string
		evidence []report.Evidence
		says     []string
		not      []string
	}{
		"dead, direct works": {"net.proxy_failed", []report.Evidence{web("beside_proxy", true), web("proxy_fault", "refused")}, []string{"Proxy", "schalten Sie ihn aus"}, nil},
		"dead, no other way": {"net.proxy_failed", []report.Evidence{web("proxy_fault", "refused")}, []string{"Vermittlungs-Server", "IT-Abteilung"}, []string{"aus."}},
		"blocks":             {"net.proxy_failed", []report.Evidence{web("proxy_fault", "forbidden"), web("beside_proxy", true)}, []string{"sperrt", "IT-Abteilung"}, []string{"schalten"}},
		"firewall":           {"net.tls_intercepted", []report.Evidence{web("tls_inspector", "network"), web("tls_intercepted", true)}, []string{"Firewall", "IT-Abteilung"}, []string{"Virenschutz"}},
		"scanner":            {"net.tls_intercepted", []report.Evidence{web("tls_inspector", "scanner"), web("tls_intercepted", true)}, []string{"Virenschutz", "Aktualisieren"}, []string{"Schalten", "aus."}},
		"no sound comes back": {"conf.media_not_flowing", []report.Evidence{
			{Probe: report.ProbeBBB, Field: "failed_step", Value: "sound_down"}, {Probe: report.ProbeBBB, Field: "failed_code", Value: "nothing_came_back"},
		}, []string{"Konferenz-Server", "kein Ton zurück", "Telefon-Hilfe"}, []string{"Ihre Sprache", "Netz"}},
		"unknown": {"net.tls_intercepted", []report.Evidence{web("tls_intercepted", true), web("tls_key", "foreign")}, []string{"Passwort"}, []string{"Virenschutz"}},
	} {
		text, ok := diagnose.ExplainCause(report.Cause{Code: c.code, Evidence: c.evidence}, phrase.DE)
		whole := text.Sentence + " " + text.Action
		for _, word := range c.says {
			if !ok || !strings.Contains(whole, word) {
				t.Errorf("%s: got %q, want it to contain %q", name, whole, word)
			}
		}
		for _, word := range c.not {
			if strings.Contains(whole, word) {
				t.Errorf("%s: got %q, want it without %q", name, whole, word)
			}
		}
	}
}
