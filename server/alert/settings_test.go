package alert

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const whole = `
language = "en"
[[rule]]
name = "common cause"
when = "common_cause"
hold = "30s"
before = "90m"
to = ["office", "desk"]
[[rule]]
name = "many"
when = "many_red"
at_least = 5
to = ["phone"]
[[channel]]
name = "office"
kind = "webhook"
url = "https://hooks.example.org/x"
secret_file = "key"
[[channel]]
name = "desk"
kind = "email"
host = "mail.example.org:587"
from = "tonprobe@example.org"
to = ["it@example.org"]
user = "tonprobe"
password_file = "key"
[[channel]]
name = "phone"
kind = "ntfy"
url = "https://ntfy.example.org/desk"
token_file = "key"
`

func inFolder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"alerts.toml": text, "key": "0123456789abcdef\n", "short": "0123", "lines": "a\nb", "empty": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "alerts.toml")
}

func TestSettings(t *testing.T) {
	s, err := Read(inFolder(t, whole))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Rules) != 2 || time.Duration(s.Rules[0].Before) != 90*time.Minute || s.Rules[1].AtLeast != 5 || len(s.Channels) != 3 {
		t.Errorf("got %+v, want 2 rules, 90 minutes and at least 5, and 3 channels", s)
	}
	for _, c := range s.Channels {
		if c.secret != "0123456789abcdef" {
			t.Errorf("%s: got secret %q, want 0123456789abcdef", c.Name, c.secret)
		}
	}
}

// TestWrongSettings replaces one part of the file; the message says what is wrong, and contains no
// secret.
func TestWrongSettings(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{`"30s"`, `"soon"`, `"soon" is not a time`},
		{`"30s"`, `"-1s"`, "is not a time"},
		{`"30s"`, `"900h"`, "is not a time"},
		{`hold = `, `holds = `, `line 6: there is no setting "rule.holds"`},
		{`"common_cause"`, `"rain"`, "rule common cause: when is common_cause"},
		{`at_least = 5`, ``, "at_least is a number from 1"},
		{`hold = "30s"`, `at_least = 3`, "at_least is a number from 1, for many_red only"},
		{`["phone"]`, `["nobody"]`, `there is no channel "nobody"`},
		{`["phone"]`, `[]`, "to names at least one channel"},
		{`name = "phone"`, `name = "desk"`, "channel 3 needs a name of its own"},
		{`name = "many"`, `name = ""`, "rule 2 needs a name"},
		{`name = "many"`, `name = "a\nb"`, "rule 2 needs a name"},
		{`"en"`, `"tlh"`, "de or en"},
		{`"webhook"`, `"fax"`, "kind is webhook, email or ntfy"},
		{`https://hooks`, `http://hooks`, "url begins with https://"},
		{`https://hooks`, `file://hooks`, "url begins with https://"},
		{`https://hooks`, `https://u:geheim@hooks`, "secrets are in files"},
		{`secret_file = "key"`, ``, "needs secret_file"},
		{`secret_file = "key"`, `secret_file = "short"`, "at least 16 characters"},
		{`secret_file = "key"`, `secret_file = "lines"`, "one line with the secret"},
		{`secret_file = "key"`, `secret_file = "empty"`, "one line with the secret"},
		{`secret_file = "key"`, `secret_file = "missing"`, "missing"},
		{`mail.example.org:587`, `mail.example.org`, "write it like mail.example.org:587"},
		{`"it@example.org"`, `"it"`, "is not a mail address"},
		{`"it@example.org"`, `"it@example.org\r\nBcc: x@example.org"`, "is not a mail address"},
		{`password_file = "key"`, ``, "user and password_file go together"},
		{`token_file = "key"`, `secret_file = "key"`, "belongs to a webhook"},
		{`token_file = "key"`, `user = "x"`, "belong to e-mail"},
		{whole, ``, "it needs 1 to"},
		{whole, `[[rule`, "line 1"},
		{whole, strings.Repeat("#", maxSettingsBytes+1), "more than"},
	} {
		if !strings.Contains(whole, c.from) {
			t.Fatalf("%q is not in the file", c.from)
		}
		_, err := Read(inFolder(t, strings.Replace(whole, c.from, c.to, 1)))
		if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: got error %v, want one with %q", c.to, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "0123456789abcdef") || strings.Contains(err.Error(), "geheim")) {
			t.Errorf("%q: the message contains a secret: %v", c.to, err)
		}
	}
}
