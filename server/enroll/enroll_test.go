package enroll

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlitetest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func newEnroller(t *testing.T) (Enroller, *sqlstore.Store, *time.Time) {
	t.Helper()
	s := sqlitetest.Open(t)
	at := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	return Enroller{Store: s, Now: func() time.Time { return at }, Random: rand.Reader}, s, &at
}

func invite(t *testing.T, d Enroller, name string) Invitation {
	t.Helper()
	i, err := d.Invite(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestNames(t *testing.T) {
	d, s, _ := newEnroller(t)
	for name, problem := range map[string]string{
		"  Dr. Jörg Müller ":         "",
		"<script>alert(1)</script>":  "",
		"علي محمد":                   "",
		"Robert'); DROP TABLE x;--":  "",
		"":                           "needs a name",
		"  \t ":                      "needs a name",
		"a\nb":                       "control character (U+000A)",
		"a\u202egnp.exe":             "control character (U+202E)",
		"\xff":                       "UTF-8",
		strings.Repeat("x", 10<<20):  "too long: it has 10485760 characters",
		strings.Repeat("ü", 200):     "",
		strings.Repeat("ü", 201):     "too long: it has 201 characters, at most 200",
		"zero\x00byte":               "control character (U+0000)",
		"line\u2028separator":        "control character (U+2028)",
		"می\u200cخواهم":              "",
		"bidi \u2066isolate\u2069 x": "control character (U+2066)",
	} {
		i, err := d.Invite(t.Context(), name, "")
		var input *InputError
		if problem == "" {
			if err != nil {
				t.Errorf("%q: got error %v, want none", name, err)
			} else if p, err := s.Participant(t.Context(), i.Participant.ID); err != nil || p != i.Participant || p.Name != strings.TrimSpace(name) {
				t.Errorf("%q: stored as %+v, error %v", name, p, err)
			}
		} else if !errors.As(err, &input) || !strings.Contains(err.Error(), problem) || len(err.Error()) > 200 {
			t.Errorf("%.40q: got error %v, want %q", name, err, problem)
		}
	}
	if _, err := d.Invite(t.Context(), "A", strings.Repeat("1", 41)); err == nil {
		t.Error("a phone number of 41 bytes was accepted")
	}
}

func TestAccept(t *testing.T) {
	d, s, at := newEnroller(t)
	i := invite(t, d, "A")
	if !i.ExpiresAt.Equal(at.Add(CodeTTL)) {
		t.Errorf("got expiry %v, want %v", i.ExpiresAt, at.Add(CodeTTL))
	}
	own := uuid.NewString()
	e, err := d.Accept(t.Context(), strings.ToLower(i.Code), Applicant{AgentID: strings.ToUpper(own), Version: "1", OS: "linux", Arch: "amd64"})
	if err != nil || e.AgentID != own || e.Participant.ID != i.Participant.ID {
		t.Fatalf("got %+v, error %v; want AgentID %v, Participant ID %v", e, err, own, i.Participant.ID)
	}
	a, p, err := s.AgentByToken(t.Context(), store.HashOf(e.Token))
	if err != nil || a.ID != own || p.Name != "A" {
		t.Errorf("by its token: got %+v of %+v, error %v; want ID %v, Name %q", a, p, err, own, "A")
	}
	late := invite(t, d, "B")
	*at = at.Add(CodeTTL)
	for what, code := range map[string]string{"used": i.Code, "expired": late.Code, "unknown": "0000-0000-0000", "empty": "", "long": strings.Repeat("0", 10<<20)} {
		if _, err := d.Accept(t.Context(), code, Applicant{}); !errors.Is(err, ErrCode) {
			t.Errorf("%s code: got error %v, want %v", what, err, ErrCode)
		}
	}
}

func TestForeignAgentIDIsNotTakenOver(t *testing.T) {
	d, s, _ := newEnroller(t)
	victim, err := d.Accept(t.Context(), invite(t, d, "A").Code, Applicant{})
	if err != nil {
		t.Fatal(err)
	}
	thief, err := d.Accept(t.Context(), invite(t, d, "B").Code, Applicant{AgentID: victim.AgentID})
	if err != nil || thief.AgentID == victim.AgentID {
		t.Fatalf("got %+v, error %v; want another id", thief, err)
	}
	if _, p, err := s.AgentByToken(t.Context(), store.HashOf(victim.Token)); err != nil || p.Name != "A" {
		t.Errorf("the first agent was lost: %v, error %v", p, err)
	}
}

func TestHostileApplicants(t *testing.T) {
	d, _, _ := newEnroller(t)
	i := invite(t, d, "A")
	for name, a := range map[string]Applicant{
		"no UUID": {AgentID: "../../etc"}, "nil UUID": {AgentID: uuid.Nil.String()}, "URN": {AgentID: "urn:uuid:" + uuid.NewString()},
		"long version": {Version: strings.Repeat("x", 65)}, "control": {OS: "a\x1b[2J"},
	} {
		var input *InputError
		if _, err := d.Accept(t.Context(), i.Code, a); !errors.As(err, &input) {
			t.Errorf("%s: got error %v, want an InputError", name, err)
		}
	}
	if _, err := d.Accept(t.Context(), i.Code, Applicant{}); err != nil {
		t.Errorf("the code was used up by a rejected agent: %v", err)
	}
}

// TestCodeEnrolsOneProgramAndOneBrowser: whoever opens the check in a browser can still set up the
// computer with the same letter, and the other way round.
func TestCodeEnrolsOneProgramAndOneBrowser(t *testing.T) {
	for _, order := range [][]string{{"amd64", wire.BrowserArch}, {wire.BrowserArch, "amd64"}} {
		d, _, _ := newEnroller(t)
		i := invite(t, d, "Erika Beispiel")
		seen := map[string]bool{}
		for _, arch := range order {
			e, err := d.Accept(t.Context(), i.Code, Applicant{Version: "1", OS: "windows", Arch: arch})
			if err != nil || e.Participant.ID != i.Participant.ID || seen[e.AgentID] {
				t.Fatalf("%s of %v: got %+v, error %v; want another agent of %s", arch, order, e, err, i.Participant.ID)
			}
			seen[e.AgentID] = true
		}
		for _, arch := range order {
			if _, err := d.Accept(t.Context(), i.Code, Applicant{Version: "1", OS: "windows", Arch: arch}); !errors.Is(err, ErrCode) {
				t.Errorf("a second %s: got %v, want %v", arch, err, ErrCode)
			}
		}
	}
}
