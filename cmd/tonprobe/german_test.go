package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/tui"
)

// reEnglish matches words that occur in nearly every English sentence and in no
// German one.
var reEnglish = regexp.MustCompile(`(?i)\b(the|is|are|not|of|and|cannot|could|must|to|no|with|for|from|has|have|this|that|be|by|on|open|read|write|failed|error|refused|invalid|unknown|found|connection|permission|file|directory)\b`)

// germanPart returns the text before the marker of technical detail.
func germanPart(text string) string {
	before, _, _ := strings.Cut(text, "Technik:")
	return before
}

// TestGermanErrorsContainNoEnglish tests every error that a person can see, and
// errors that this program does not know, with their real wrapping.
func TestGermanErrorsContainNoEnglish(t *testing.T) {
	p := germanProgram(t)
	foreign := errors.New("the thing could not be read: it is broken")
	var syntax *json.SyntaxError
	errors.As(json.Unmarshal([]byte("{"), new(any)), &syntax)
	all := []error{
		foreign, fmt.Errorf("write report: %w", foreign), syntax, context.DeadlineExceeded,
		&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		&url.Error{Op: "Post", URL: "https://tonprobe.example.org", Err: foreign},
		&net.DNSError{Err: "no such host", Name: "tonprobe.example.org", IsNotFound: true},
		&collector.ClockError{}, collector.ErrExpired, enroll.ErrProxy, &collector.APIError{Status: 500}, &collector.APIError{Status: 400, Code: "body_malformed", Message: "the body is broken"},
		&identity.BrokenError{Path: "identity.json", Err: syntax}, identity.ErrNotSaved,
		&resident.ManagerError{Platform: "linux-systemd", Err: foreign}, resident.ErrNotEnrolled,
		&spool.CorruptError{ID: "x"}, spool.ErrID, spool.ErrDiskFull,
		uplink.ErrEnrolAgain, uplink.ErrBlocked, uplink.ErrUntrusted, uplink.ErrNotReached, uplink.ErrRefused,
		enroll.ErrCodeForm, enroll.ErrCodeInvalid, enroll.ErrTooMany, enroll.ErrUntrusted, enroll.ErrUnreachable, enroll.ErrCollector,
		&check.UnknownProbeError{Names: []string{"x"}, Known: []string{"y"}}, &check.LifetimeError{},
		&diagnose.UnknownProfileError{Name: "x", Known: []string{"bbb"}}, tui.ErrQuit, check.ErrCancelled,
	}
	for _, c := range sentences() {
		all = append(all, c.is)
	}
	for _, f := range config.Faults() {
		value := "many" // input by a person
		if f == config.FaultSyntax {
			value = "toml: expected newline but got end of file"
		}
		all = append(all, &config.Error{Where: "tonprobe.toml:3", Key: "speak_seconds", Fault: f, Value: value, Want: "2 – 60"})
	}
	for _, f := range origin.Faults() {
		all = append(all, &origin.Error{Address: "https://example.org", Fault: f})
	}
	for errno := syscall.Errno(1); errno < 134; errno++ {
		all = append(all, &fs.PathError{Op: "open", Path: "a.json", Err: errno}, &os.LinkError{Op: "rename", Old: "a", New: "b", Err: errno},
			&os.SyscallError{Syscall: "fsync", Err: errno})
	}
	for _, err := range all {
		for _, e := range []error{err, fmt.Errorf("do what has to be done: %w", err), errors.Join(err, foreign)} {
			text, _ := p.explainFailure(e)
			german := germanPart(text)
			if hit := reEnglish.FindString(german); hit != "" || strings.TrimSpace(german) == "" {
				t.Errorf("%T %v: the English word %q is in %q", err, err, hit, text)
			}
		}
	}
}

// TestScreensLeaveTechnicalDetailOut: a person who enters a code is shown a sentence that
// says what to do.
func TestScreensLeaveTechnicalDetailOut(t *testing.T) {
	for _, lang := range phrase.Langs() {
		book, err := loadTexts(lang)
		if err != nil {
			t.Fatal(err)
		}
		p := &program{getenv: func(string) string { return "" }, lang: lang, texts: book}
		foreign := errors.New("dial tcp: it is broken")
		for _, e := range []error{enroll.ErrUnreachable, enroll.ErrUntrusted, enroll.ErrCollector, enroll.ErrProxy, collector.ErrExpired, collector.ErrIntercepted} {
			text, known := p.screenSentence(fmt.Errorf("enrol: %w: %w", e, foreign))
			if !known || strings.Contains(text, "broken") || strings.Contains(text, p.t("error.technical")) || !strings.Contains(text, ". ") {
				t.Errorf("%s %v: got %q; want sentences without the technical reason", lang, e, text)
			}
		}
	}
}

// TestGermanTextsMarkTechnicalDetail checks that a text with an inserted foreign
// error marks it as technical. Texts are composed by keys; foreign words are
// inserted at detail and problem.
func TestGermanTextsMarkTechnicalDetail(t *testing.T) {
	p := germanProgram(t)
	for _, key := range p.texts.Keys() {
		text := p.texts.T(key, "detail", "the detail is bad", "value", "x", "problem", "x", "file", "x")
		if at := strings.Index(text, "the detail is bad"); at >= 0 && !strings.Contains(text[:at], "Technik:") {
			t.Errorf("%s: %q", key, text)
		}
		if hit := reEnglish.FindString(germanPart(text)); hit != "" && !strings.HasPrefix(key, "help.") && !isCommandLine(germanPart(text)) {
			t.Errorf("%s contains the English word %q: %q", key, hit, text)
		}
	}
}

// isCommandLine reports whether a text contains a command or a flag, in which
// English words are correct.
func isCommandLine(text string) bool {
	return strings.Contains(text, "tonprobe ") || strings.Contains(text, "--") || strings.Contains(text, "true")
}

func germanProgram(t *testing.T) *program {
	t.Helper()
	book, err := loadTexts(phrase.DE)
	if err != nil {
		t.Fatal(err)
	}
	return &program{getenv: func(string) string { return "" }, lang: phrase.DE, texts: book}
}
