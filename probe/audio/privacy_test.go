package audio

import (
	"strings"
	"testing"
)

func TestPublicName(t *testing.T) {
	persons := []string{"Wilhelmine", "Grothe"}
	for _, c := range []struct {
		name      string
		bluetooth bool
		want      string
	}{
		// Names as the systems make them.
		{"Built-in Audio Analog Stereo", false, "Built-in Audio Analog Stereo"},
		{"Mikrofon (Realtek High Definition Audio)", false, "Mikrofon (Realtek High Definition Audio)"},
		{"Headset (Jabra Evolve2 65)", true, "Headset (Jabra Evolve2 65)"},
		{"HD Pro Webcam C920", false, "HD Pro Webcam C920"},
		{"MacBook Pro-Mikrofon", false, "MacBook Pro"},
		{"Monitor of Built-in Audio Analog Stereo", false, "Monitor of Built-in Audio Analog Stereo"},
		{"Jabra Evolve2 65", true, "Jabra Evolve2 65"},
		{"Sennheiser MOMENTUM 4", true, "Sennheiser MOMENTUM 4"},
		// Names that hold their owner's.
		{"Annas AirPods", true, "AirPods"},
		{"Anna’s AirPods Pro", true, "AirPods Pro"},
		{"AirPods Pro von Anna", false, "AirPods Pro"},
		{"Anna’s\u00a0iPhone Mikrofon", false, "iPhone"},
		{"iPhone di Giulia Microphone", false, "iPhone"},
		{"Headset (Annas AirPods Hands-Free AG Audio)", true, "Headset (AirPods)"},
		{"Kopfhörermikrofon (Annas AirPods)", false, "Kopfhörermikrofon (AirPods)"},
		{"Anna Müller's Headset", false, "Headset"},
		{"Klaus' Headset", false, "Headset"},
		{"Headset von Anna Müller", false, "Headset"},
		{"Monitor of Annas AirPods", true, "Monitor of AirPods"},
		{"Anna Müller", true, "Bluetooth"},
		{"Annas Jabra Elite", true, "Jabra Elite"},
		{"WH-1000XM5 Anna", true, "Bluetooth"},
		{"Headset (Anna Müller)", true, "Headset (Bluetooth)"},
		{"Mikrofon Wilhelmine", false, "Microphone"},
		{"Wilhelmines Mikrofon", false, "Microphone"},
		{"Jabra GROTHE 20", true, "Jabra"},
		// Hostile ones.
		{"", false, "Microphone"},
		{"\u202eevil\x00\x1b[31m", false, "evil[31m"},
		{"(", false, "("},
		{" ()", false, "()"},
	} {
		if got := publicName(c.name, c.bluetooth, persons); got != c.want {
			t.Errorf("%q: %q, want %q", c.name, got, c.want)
		}
	}
	if got := publicName(strings.Repeat("x", 10<<20), false, nil); len(got) != maxNameRunes {
		t.Errorf("a long name keeps %d bytes", len(got))
	}
}

func FuzzPublicName(f *testing.F) {
	f.Add("Headset (Annas AirPods)", true)
	f.Add("Monitor of Monitor of ", false)
	f.Fuzz(func(t *testing.T, name string, bluetooth bool) {
		got := publicName(name, bluetooth, []string{"Wilhelmine"})
		if strings.Contains(got, "Wilhelmine ") || strings.ContainsAny(got, "\x00\n\x1b") {
			t.Errorf("%q", got)
		}
	})
}

func TestAccountNames(t *testing.T) {
	for _, n := range accountNames() {
		if len([]rune(n)) < 3 || strings.ContainsAny(n, `\ `) {
			t.Errorf("%q", n)
		}
	}
}
