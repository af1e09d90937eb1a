package phrase_test

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

func load(t *testing.T, lang phrase.Lang, toml string) *phrase.Book {
	t.Helper()
	b, err := phrase.Load(fstest.MapFS{string(lang) + ".toml": {Data: []byte(toml)}}, lang)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBookJoinsNestedKeys(t *testing.T) {
	b := load(t, phrase.DE, "top = \"a\"\n[menu]\nquit = \"Ende\"\n[menu.sub]\nx = \"y\"\n[causes.\"audio.hum\"]\nsentence = \"s\"\n")
	want := []string{"causes.audio.hum.sentence", "menu.quit", "menu.sub.x", "top"}
	if got := b.Keys(); !reflect.DeepEqual(got, want) {
		t.Errorf("Keys() = %q, want %q", got, want)
	}
	if !b.Has("menu.quit") || b.Has("menu") {
		t.Error("Has is true for a table, or false for a text")
	}
	if b.Lang() != phrase.DE {
		t.Errorf("Lang() = %q, want %q", b.Lang(), phrase.DE)
	}
}

func TestT(t *testing.T) {
	b := load(t, phrase.EN, "hello = \"Hello {name}, {n} of {n}\"\n")
	tests := []struct {
		name string
		key  string
		args []any
		want string
	}{
		{"fills every occurrence", "hello", []any{"name", "Ada", "n", 3}, "Hello Ada, 3 of 3"},
		{"keeps a placeholder without a value", "hello", []any{"n", 1}, "Hello {name}, 1 of 1"},
		{"does not expand values", "hello", []any{"name", "{n}", "n", 2}, "Hello {n}, 2 of 2"},
		{"ignores a name without a value", "hello", []any{"n", 1, "name"}, "Hello {name}, 1 of 1"},
		{"shows a missing key", "gone.key", []any{"a", "b"}, "‹gone.key›"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := b.T(tt.key, tt.args...); got != tt.want {
				t.Errorf("T = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, toml, want string }{
		{"a number", "a = 3", "a is a int64"},
		{"a list", "a = [\"x\"]", "want a string"},
		{"an empty text", "[t]\na = \" \"", "t.a is empty"},
		{"a key twice", "\"a.b\" = \"x\"\n[a]\nb = \"y\"", "a.b is defined twice"},
		{"broken TOML", "a = ", "parse texts de.toml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := phrase.Load(fstest.MapFS{"de.toml": {Data: []byte(tt.toml)}}, phrase.DE)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want it to contain %q", err, tt.want)
			}
		})
	}
	if _, err := phrase.Load(fstest.MapFS{}, phrase.EN); err == nil {
		t.Error("err = nil for a missing file")
	}
}

func TestCompare(t *testing.T) {
	de := load(t, phrase.DE, "both = \"{b} {a} {a}\"\nonly_de = \"x\"\ndiffer = \"{n}\"\n")
	en := load(t, phrase.EN, "both = \"{a} {b}\"\nonly_en = \"x\"\ndiffer = \"{m}\"\n")
	want := []string{
		"differ: placeholders differ: de has [{n}], en has [{m}]",
		"only_de: missing in en",
		"only_en: missing in de",
	}
	if got := phrase.Compare(de, en); !reflect.DeepEqual(got, want) {
		t.Errorf("Compare = %q, want %q", got, want)
	}
	if got := phrase.Compare(de, de); len(got) != 0 {
		t.Errorf("Compare of a book with itself = %q, want nothing", got)
	}
}

func TestFromLocale(t *testing.T) {
	tests := []struct {
		env  map[string]string
		want phrase.Lang
	}{
		{map[string]string{"LANG": "de_DE.UTF-8"}, phrase.DE},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, phrase.EN},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_MESSAGES": "de_AT@euro"}, phrase.DE},
		{map[string]string{"LANG": "fr_FR.UTF-8"}, phrase.EN},
		{map[string]string{"LANG": "den_CA"}, phrase.EN},
		{nil, phrase.EN},
	}
	for _, tt := range tests {
		if got := phrase.FromLocale(func(k string) string { return tt.env[k] }); got != tt.want {
			t.Errorf("FromLocale(%v) = %q, want %q", tt.env, got, tt.want)
		}
	}
}

func TestParseLang(t *testing.T) {
	for in, want := range map[string]phrase.Lang{"de": phrase.DE, " EN ": phrase.EN, "en-GB": phrase.EN, "Deutsch": phrase.DE} {
		if got, ok := phrase.ParseLang(in); !ok || got != want {
			t.Errorf("ParseLang(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "fr", "_", "d"} {
		if got, ok := phrase.ParseLang(in); ok {
			t.Errorf("ParseLang(%q) = %q, want no language", in, got)
		}
	}
}
