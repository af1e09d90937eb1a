package alert

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// ErrSettings means that the file cannot be used; its text states the reason.
var ErrSettings = errors.New("alerts")

// Kinds of channels.
const (
	KindWebhook = "webhook"
	KindEmail   = "email"
	KindNtfy    = "ntfy"
)

// Limits of the file.
const (
	maxSettingsBytes = 64 << 10
	maxRules         = 50
	maxChannels      = 20
	maxSecretBytes   = 4 << 10
)

// Settings are the rules and the channels of a town.
type Settings struct {
	Language string    `toml:"language"`
	Rules    []Rule    `toml:"rule"`
	Channels []Channel `toml:"channel"`
}

// Channel is where messages go.
type Channel struct {
	Name string `toml:"name"`
	Kind string `toml:"kind"`
	// URL is the address of a webhook, or of an ntfy topic.
	URL string `toml:"url"`
	// AllowPrivate permits addresses in the town's own network.
	AllowPrivate bool `toml:"allow_private"`
	// SecretFile contains the key that signs a webhook, TokenFile the access token of ntfy.
	SecretFile string `toml:"secret_file"`
	TokenFile  string `toml:"token_file"`

	// Host is host:port of a mail server, From and To are addresses.
	Host         string   `toml:"host"`
	From         string   `toml:"from"`
	To           []string `toml:"to"`
	User         string   `toml:"user"`
	PasswordFile string   `toml:"password_file"`

	secret string // of the file
}

// Read reads a file. Paths of secrets are relative to its folder.
func Read(file string) (*Settings, error) {
	f, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	s, err := parse(f, filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSettings, file, err)
	}
	return s, nil
}

func parse(b []byte, dir string) (*Settings, error) {
	if len(b) > maxSettingsBytes {
		return nil, fmt.Errorf("it has more than %d bytes", maxSettingsBytes)
	}
	var s Settings
	d := toml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			row, _ := unknown.Errors[0].Position()
			return nil, fmt.Errorf("line %d: there is no setting %q", row, strings.Join(unknown.Errors[0].Key(), "."))
		}
		if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
			row, _ := bad.Position()
			return nil, fmt.Errorf("line %d: %w", row, err)
		}
		return nil, err
	}
	if s.Language == "" {
		s.Language = string(phrase.DE)
	}
	if _, ok := phrase.ParseLang(s.Language); !ok {
		return nil, fmt.Errorf("language %.20q: de or en", s.Language)
	}
	if len(s.Rules) == 0 || len(s.Channels) == 0 || len(s.Rules) > maxRules || len(s.Channels) > maxChannels {
		return nil, fmt.Errorf("it needs 1 to %d [[rule]] and 1 to %d [[channel]]", maxRules, maxChannels)
	}
	channels := map[string]bool{}
	for i := range s.Channels {
		c := &s.Channels[i]
		if !isName(c.Name) || channels[c.Name] {
			return nil, fmt.Errorf("channel %d needs a name of its own, of at most 60 letters", i+1)
		}
		channels[c.Name] = true
		if err := c.check(dir); err != nil {
			return nil, fmt.Errorf("channel %s: %w", c.Name, err)
		}
	}
	rules := map[string]bool{}
	for i, r := range s.Rules {
		if !isName(r.Name) || rules[r.Name] {
			return nil, fmt.Errorf("rule %d needs a name of its own, of at most 60 letters", i+1)
		}
		rules[r.Name] = true
		if err := r.check(channels); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	return &s, nil
}

func isName(s string) bool {
	return s != "" && len([]rune(s)) <= 60 && !strings.ContainsFunc(s, unicode.IsControl)
}

func (r Rule) check(channels map[string]bool) error {
	switch {
	case !slices.Contains([]Condition{CommonCause, ManyRed, Collector}, r.When):
		return fmt.Errorf("when is %s, %s or %s", CommonCause, ManyRed, Collector)
	case (r.When == ManyRed) != (r.AtLeast > 0):
		return fmt.Errorf("at_least is a number from 1, for %s only", ManyRed)
	case len(r.To) == 0:
		return errors.New("to names at least one channel")
	}
	for _, name := range r.To {
		if !channels[name] {
			return fmt.Errorf("there is no channel %.60q", name)
		}
	}
	return nil
}

func (c *Channel) check(dir string) error {
	var err error
	switch c.Kind {
	case KindWebhook, KindNtfy:
		if err = c.checkURL(); err != nil {
			return err
		}
		if c.Host+c.From+c.User+c.PasswordFile != "" || len(c.To) > 0 {
			return errors.New("host, from, to, user and password_file belong to e-mail")
		}
		file := c.TokenFile
		if c.Kind == KindWebhook {
			if file = c.SecretFile; file == "" {
				return errors.New("a webhook needs secret_file, whose content signs its messages")
			}
			if c.TokenFile != "" {
				return errors.New("token_file belongs to ntfy")
			}
		} else if c.SecretFile != "" {
			return errors.New("secret_file belongs to a webhook")
		}
		c.secret, err = secretOf(dir, file)
		if err == nil && c.Kind == KindWebhook && len(c.secret) < 16 {
			err = errors.New("the secret has at least 16 characters")
		}
	case KindEmail:
		if c.URL+c.SecretFile+c.TokenFile != "" {
			return errors.New("url, secret_file and token_file do not belong to e-mail")
		}
		if host, port, err := net.SplitHostPort(c.Host); err != nil || host == "" || port == "" {
			return fmt.Errorf("host %.60q: write it like mail.example.org:587", c.Host)
		}
		if len(c.To) == 0 || len(c.To) > 50 {
			return errors.New("to has 1 to 50 addresses")
		}
		for _, address := range append([]string{c.From}, c.To...) {
			if a, err := mail.ParseAddress(address); err != nil || strings.ContainsAny(a.Address, "\r\n") {
				return fmt.Errorf("%.60q is not a mail address", address)
			}
		}
		if (c.User == "") != (c.PasswordFile == "") {
			return errors.New("user and password_file go together")
		}
		c.secret, err = secretOf(dir, c.PasswordFile)
	default:
		return fmt.Errorf("kind is %s, %s or %s", KindWebhook, KindEmail, KindNtfy)
	}
	return err
}

// checkURL permits unencrypted addresses only within the town's own network.
func (c *Channel) checkURL() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !c.AllowPrivate):
		return errors.New("url begins with https://, or with http:// if allow_private is set")
	case u.User != nil:
		return errors.New("url contains no user: secrets are in files")
	}
	return nil
}

func secretOf(dir, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff"))
	if text == "" || len(b) > maxSecretBytes || strings.ContainsFunc(text, unicode.IsControl) {
		return "", fmt.Errorf("%s contains one line with the secret and nothing else", file)
	}
	return text, nil
}
