package web

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server/store"
)

func loadedBooks(t *testing.T) books {
	t.Helper()
	all, err := loadBooks()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestLanguagesSayTheSame(t *testing.T) {
	all := loadedBooks(t)
	for _, complaint := range phrase.Compare(all[phrase.DE], all[phrase.EN]) {
		t.Error(complaint)
	}
}

var (
	reKey    = regexp.MustCompile(`"([a-z_]+\.[a-z_.]+)"`)
	reDotted = regexp.MustCompile(`"([a-z_]+\.)"\s*\+|\(print "([a-z_]+\.)"`)
)

// TestEveryTextIsUsedAndEveryUseHasAText reads the templates and the program.
func TestEveryTextIsUsedAndEveryUseHasAText(t *testing.T) {
	book := loadedBooks(t)[phrase.EN]
	used := map[string]bool{}
	var prefixes []string
	read := func(text string) {
		for _, m := range reKey.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
		for _, m := range reDotted.FindAllStringSubmatch(text, -1) {
			prefixes = append(prefixes, m[1]+m[2])
		}
	}
	templates, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil || len(templates) < 9 {
		t.Fatalf("got templates %v, error %v; want at least 9 entries", templates, err)
	}
	inTemplates := regexp.MustCompile(`\bt "([^"]+)"`)
	for _, name := range templates {
		b, err := templateFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		read(string(b))
		for _, m := range inTemplates.FindAllStringSubmatch(string(b), -1) {
			if !book.Has(m[1]) {
				t.Errorf("%s: there is no text %q", name, m[1])
			}
		}
	}
	for _, source := range sources(t) {
		read(source)
	}
	for _, key := range book.Keys() {
		partOf := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		counted := strings.HasPrefix(key, "time.") || used[strings.TrimSuffix(key, "s")] // minute and minutes
		if !used[key] && !partOf && !counted {
			t.Errorf("the text %q is not used", key)
		}
	}
}

// TestKeysThatAreMadeFromValues lists the keys that are composed at run time.
func TestKeysThatAreMadeFromValues(t *testing.T) {
	book := loadedBooks(t)[phrase.EN]
	for prefix, names := range map[string]string{
		"state.":         "ready limited not_ready unknown none old partial",
		"status.":        "ok warn fail unknown skipped",
		"severity.":      "fail warn info unknown",
		"area.":          "participant municipality provider unknown",
		"trigger.":       "check schedule support event foreign",
		"retest_state.":  "asked running done refused cancelled lost",
		"retest_said.":   "asked running done refused cancelled lost",
		"retest_what.":   "full network",
		"retest_why.":    "declined no_answer no_person busy unsupported failed ended",
		"filter.":        "all problems unknown ready old never blocked",
		"order.":         "name recent urgency",
		"case_state.":    "open taken closed",
		"case_conflict.": "open taken closed",
		"case_entry.":    "note taken released closed reopened",
		"case_group.":    "without audio net conf host",
		"case_cause.":    "none unknown other fleet.server_side fleet.provider_common fleet.site_common fleet.version_common",
		"time.":          "now minute minutes hour hours day days",
		"audit_kind.":    "signed_in sign_in_failed signed_out password_changed second_factor_on second_factor_off session_ended staff_invited staff_added staff_role staff_reset staff_disabled staff_enabled staff_deleted staff_link participant_read document_read roll_call_read record_read record_changed participant_added participant_edited participant_deleted participant_blocked participant_unblocked code_created case_changed retest computer_revoked token_requested exported api_token_added api_token_removed api_token_used",
		"role.":          "support lead administrator auditor",
		"role_about.":    "support lead administrator auditor",
		"failure.":       "no_browser_check.title no_browser_check.text forbidden.title forbidden.text fault.title fault.text not_found.title not_found.text wrong_method.title wrong_method.text too_many.title too_many.text too_large.title too_large.text malformed.title malformed.text",
	} {
		for name := range strings.FieldsSeq(names) {
			if !book.Has(prefix + name) {
				t.Errorf("there is no text %q", prefix+name)
			}
		}
	}
}

// TestTheConferenceServerHasOneName: as in the texts of the diagnosis.
func TestTheConferenceServerHasOneName(t *testing.T) {
	book := loadedBooks(t)[phrase.DE]
	for _, key := range book.Keys() {
		if strings.Contains(book.T(key), "Konferenzserver") {
			t.Errorf("%s: %s", key, book.T(key))
		}
	}
}

// TestNoShareRoundsAFaultAway: 299 of 300 are not shown as 100 %.
func TestNoShareRoundsAFaultAway(t *testing.T) {
	v := view{Book: loadedBooks(t)[phrase.DE], lang: phrase.DE}
	for right, want := range map[int]string{299: "99 % (wahrscheinlich zwischen 98 % und 99 %)", 300: "100 % (wahrscheinlich zwischen 99 % und 100 %)", 150: "50 % (wahrscheinlich zwischen 44 % und 56 %)"} {
		row := v.truth(store.CauseTruth{Named: "audio.os_muted", Right: right, Wrong: 300 - right})
		if got := row.Share + " " + row.Range; got != want {
			t.Errorf("%d of 300: %q, want %q", right, got, want)
		}
	}
}
