package systemcode_test

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
)

func TestParse(t *testing.T) {
	for text, want := range map[string][2]string{
		"1007": {"bbb", "1007"}, " 1007 ": {"bbb", "1007"}, "Fehler 1007": {"bbb", "1007"}, "ICE 1004": {"bbb", "1004"}, "bbb 1010": {"bbb", "1010"},
		"BBB-Fehler Nr. 1007!": {"bbb", "1007"}, "BigBlueButton (2301)": {"bbb", "2301"}, "Big Blue Button 1002": {"bbb", "1002"},
		"Code: 1007 (ICE negotiation failed)": {"bbb", "1007"}, "BBB 3.0: 1007": {"bbb", "1007"}, "10 07": {"bbb", "1007"}, "1 0 0 7": {"bbb", "1007"}, "01007": {"bbb", "01007"},
		"Mikrofon 7": {"bbb", "7"}, "0": {"bbb", "0"}, "1007/1010": {"bbb", "1007"}, "bbb 2.7 4711": {"bbb", "4711"},
		"zoom 5003": {"zoom", "5003"}, "Zoom Fehler 5004": {"zoom", "5004"}, "Zoom (3113)": {"zoom", "3113"}, "Teams": {"teams", ""}, "": {"bbb", ""}, "Hilfe": {"bbb", ""}, "<b>1007</b>": {"bbb", "1007"},
		strings.Repeat("9", 500): {"bbb", "99999999"}, strings.Repeat("x", 300) + "1007": {"bbb", ""},
	} {
		system, number := systemcode.Parse(text)
		if system != want[0] || number != want[1] {
			t.Errorf("%.40q: got %q %q, want %q", text, system, number, want)
		}
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]bool{"bbb": true, "BBB": true, "Big Blue Button": true, "big-blue-button": true, "teams": false, "1007": false, "": false} {
		if system, ok := systemcode.Named(name); ok != want || ok && system != "bbb" {
			t.Errorf("%q: got %q, %t, want %t", name, system, ok, want)
		}
	}
}

func TestNamedZoom(t *testing.T) {
	if system, ok := systemcode.Named("Zoom"); !ok || system != "zoom" {
		t.Errorf("got %q, %t, want zoom", system, ok)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("BBB 3.0: 1007")
	f.Fuzz(func(t *testing.T, text string) {
		system, number := systemcode.Parse(text)
		if system == "" || len(number) > 8 || strings.Trim(number, "0123456789") != "" {
			t.Errorf("got system %q, number %q, want a system and at most eight digits", system, number)
		}
	})
}
