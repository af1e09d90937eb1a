package wire

import (
	"errors"
	"strings"
	"testing"
)

func TestTargetNames(t *testing.T) {
	for name, want := range map[string]bool{
		"rathaus": true, "Rat Köln": true, "bbb_2": true, "A": true, "Saal 4-2": true, strings.Repeat("ü", 40): true,
		"": false, " rathaus": false, "rathaus ": false, "-x": false, "bbb.example": false, "https://bbb": false, "a:1": false, "a/b": false, "[::1]": false,
		"zoom": false, "YouTube": false, "localhost": false, "a\x1b[2J": false, "a\nb": false, strings.Repeat("x", 41): false, "<b>": false,
	} {
		if got := IsTargetName(name); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
}

func TestParseTargets(t *testing.T) {
	good := `{"name":"Rat","system":"livekit","url":"https://livekit.example.org","profile":"bbb","room":{"name":"r","publish_token":"a","subscribe_token":"b"}}`
	got, err := ParseTargets([]byte(`{"targets":[` + good + `],"later":1}`))
	if err != nil || len(got.Targets) != 1 || got.Targets[0].Room.Subscribe != "b" {
		t.Fatalf("got %+v, error %v, want one target with its room", got, err)
	}
	if found, ok := got.Find("rat"); !ok || found.System != "livekit" {
		t.Errorf("got %+v, ok %t; want system livekit", found, ok)
	}
	if _, ok := got.Find("Rathaus"); ok {
		t.Error("Find returned an unknown target")
	}
	for name, text := range map[string]string{
		"HTML":        "<html>",
		"two kinds":   `{"targets":[{"name":1}]}`,
		"an address":  strings.Replace(`{"targets":[`+good+`]}`, `"Rat"`, `"bbb.example.org"`, 1),
		"no address":  strings.Replace(`{"targets":[`+good+`]}`, "https://livekit.example.org", "", 1),
		"new system":  strings.Replace(`{"targets":[`+good+`]}`, `"livekit"`, `"teams"`, 1),
		"half a room": strings.Replace(`{"targets":[`+good+`]}`, `"subscribe_token":"b"`, `"subscribe_token":""`, 1),
		"many":        `{"targets":[` + strings.Repeat(good+",", MaxTargets) + good + `]}`,
		"no name":     `{"targets":[],"profiles":[{"toml":"x"}]}`,
		"long limits": `{"targets":[],"profiles":[{"name":"a","toml":"` + strings.Repeat("x", maxProfileBytes+1) + `"}]}`,
		"many limits": `{"targets":[],"profiles":[` + strings.Repeat(`{"name":"a","toml":""},`, maxProfiles) + `{"name":"a","toml":""}]}`,
		"huge":        `{"targets":[],"x":"` + strings.Repeat("x", MaxTargetsBytes) + `"}`,
	} {
		if _, err := ParseTargets([]byte(text)); !errors.Is(err, ErrTargets) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrTargets)
		}
	}
}

func FuzzParseTargets(f *testing.F) {
	f.Add([]byte(`{"targets":[{"name":"Rat","system":"bbb","url":"https://bbb.example.org","profile":"bbb"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseTargets(b)
		if err != nil {
			return
		}
		for _, target := range got.Targets {
			if err := target.validate(); err != nil {
				t.Error(err)
			}
		}
	})
}
