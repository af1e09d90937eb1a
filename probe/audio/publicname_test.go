package audio

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

func TestPublicName(t *testing.T) {
	persons := []string{"Wilhelmine", "Grothe"}
	for _, c := range []struct {
		name, product string
		bluetooth     bool
		want          string
	}{
		// Names created by the systems.
		{"Built-in Audio Analog Stereo", "", false, "Built-in Audio Analog Stereo"},
		{"Eingebautes Tongerät Analog Stereo", "", false, "Eingebautes Tongerät Analog Stereo"},
		{"Mikrofon (Realtek High Definition Audio)", "", false, "Mikrofon (Realtek High Definition Audio)"},
		{"Mikrofon (Realtek(R) Audio)", "Realtek(R) Audio", false, "Mikrofon (Realtek(R) Audio)"},
		{"Mikrofon (2- USB PnP Audio Device)", "", false, "Mikrofon (2- USB PnP Audio Device)"},
		{"Mikrofonarray (Intel® Smart Sound Technologie für digitale Mikrofone)", "", false, "Mikrofonarray (Intel Smart Sound Technologie für digitale Mikrofone)"},
		{"Microphone Array (AMD Audio Device)", "", false, "Microphone Array (AMD Audio Device)"},
		{"Headset (Jabra Evolve2 65)", "", true, "Headset (Jabra Evolve2 65)"},
		{"HD Pro Webcam C920", "", false, "HD Pro Webcam C920"},
		{"Tiger Lake-LP Smart Sound Technology Audio Controller Digital Microphone", "", false, "Tiger Lake-LP Smart Sound Technology Audio Controller Digital Microphone"},
		{"MacBook Pro-Mikrofon", "MacBook Pro-Mikrofon", false, "MacBook Pro-Mikrofon"},
		{"Monitor of Built-in Audio Analog Stereo", "", false, "Monitor of Built-in Audio Analog Stereo"},
		{"Jabra Evolve2 65", "", true, "Jabra Evolve2 65"},
		{"Sennheiser MOMENTUM 4", "", true, "Sennheiser MOMENTUM 4"},
		{"Blue Yeti", "", false, "Blue Yeti"},
		{"CABLE Output (VB-Audio Virtual Cable)", "", false, "CABLE Output (VB-Audio Virtual Cable)"},
		// The hardware's own name is allowed even if its words are unknown.
		{"Quasimodo Q9 Analog Stereo", "Quasimodo Q9", false, "Quasimodo Q9 Analog Stereo"},
		{"Mikrofon (Quasimodo Q9)", "Quasimodo Q9", false, "Mikrofon (Quasimodo Q9)"},
		{"Anna Müller", "Quasimodo Q9", false, "Quasimodo Q9"},
		{"Annas Mikro (Quasimodo Q9)", "Quasimodo Q9", false, "Quasimodo Q9"},
		{"Wilhelmine (Wilhelmine Audio)", "Wilhelmine Audio", false, "Audio"},
		{"iPhone von Anna", "iPhone von Anna", false, "iPhone"},
		{"Annas AirPods", "Annas AirPods", true, "AirPods"},
		// Names given by the owner that cannot be recognised as such.
		{"Anna Müller", "", false, "Microphone"},
		{"anna", "", false, "Microphone"},
		{"MÜLLER", "", false, "Microphone"},
		{"Mikrofon Anna", "", false, "Mikrofon"},
		{"Mikro Oma Erna 1948", "", false, "Mikro"},
		{"Dr. Kim's mic", "", false, "mic"},
		{"Max", "", false, "Microphone"},
		{"Mikrofon Max", "", false, "Mikrofon"},
		{"Scarlett", "", false, "Microphone"},
		{"Bürgermeisterin Schulz (USB Audio)", "", false, "USB Audio"},
		{"Mikrofon (Anna Müller)", "", false, "Mikrofon"},
		{"Mikrofon 0171 5551234", "", false, "Mikrofon"},
		{"Webcam anna.mueller@example.org", "", false, "Webcam"},
		{"Jabra UWE1948", "", false, "Jabra"},
		{"李小龍", "", false, "Microphone"},
		// Names that contain the owner's name.
		{"Anna’s AirPods Pro", "", true, "AirPods Pro"},
		{"AirPods Pro von Anna", "", false, "AirPods Pro"},
		{"Anna’s\u00a0iPhone Mikrofon", "", false, "iPhone Mikrofon"},
		{"iPhone di Giulia Microphone", "", false, "iPhone Microphone"},
		{"Headset (Annas AirPods Hands-Free AG Audio)", "", true, "Headset (AirPods Hands-Free AG Audio)"},
		{"Kopfhörermikrofon (Annas AirPods)", "", false, "Kopfhörermikrofon (AirPods)"},
		{"Anna Müller's Headset", "", false, "Headset"},
		{"Klaus' Headset", "", false, "Headset"},
		{"Headset von Anna Müller", "", false, "Headset"},
		{"Monitor of Annas AirPods", "", true, "Monitor of AirPods"},
		{"Anna Müller", "Jabra Evolve2 65", true, "Bluetooth"},
		{"Annas Jabra Elite", "", true, "Jabra Elite"},
		{"WH-1000XM5 Anna", "", true, "WH-1000XM5"},
		{"Headset (Anna Müller)", "", true, "Headset"},
		{"Mikrofon Wilhelmine", "", false, "Mikrofon"},
		{"Wilhelmines Mikrofon", "", false, "Mikrofon"},
		{"Jabra GROTHE 20", "", true, "Jabra"},
		// Hostile ones.
		{"", "", false, "Microphone"},
		{"of (R) 2", "", false, "Microphone"},
		{"\u202eevil\x00\x1b[31m", "", false, "Microphone"},
		{"(", "", false, "Microphone"},
		{" ()", "", false, "Microphone"},
	} {
		d := capture.Device{Name: c.name, Product: c.product, IsBluetooth: c.bluetooth}
		if got := publicMicrophone(d, persons); got != c.want {
			t.Errorf("%q, hardware %q: got %q, want %q", c.name, c.product, got, c.want)
		}
	}
	if got := publicLoudspeaker(capture.Device{Name: "Anna"}, nil); got != "Loudspeaker" {
		t.Errorf("loudspeaker: %q, want Loudspeaker", got)
	}
	if got := publicMicrophone(capture.Device{Product: strings.Repeat("x", 10<<20)}, nil); len(got) != maxNameRunes {
		t.Errorf("a long name keeps %d bytes, want %d", len(got), maxNameRunes)
	}
}

// TestPublicNameOfAnAccountNamedLikeAMaker: an account may have the name of a manufacturer.
func TestPublicNameOfAnAccountNamedLikeAMaker(t *testing.T) {
	if got := publicMicrophone(capture.Device{Name: "Jabra Mikrofon"}, []string{"Jabra"}); got != "Mikrofon" {
		t.Errorf("got %q, want %q", got, "Mikrofon")
	}
}

func FuzzPublicName(f *testing.F) {
	f.Add("Headset (Annas AirPods)", "", true)
	f.Add("Monitor of Monitor of ", "Yeti", false)
	f.Add("Wilhelmine (Wilhelmines Audio)", "Wilhelmines Audio", false)
	f.Fuzz(func(t *testing.T, name, product string, bluetooth bool) {
		d := capture.Device{Name: name, Product: product, IsBluetooth: bluetooth}
		got := publicMicrophone(d, []string{"Wilhelmine"})
		if got == "" || containsPerson(got, []string{"Wilhelmine"}) || strings.ContainsAny(got, "\x00\n\x1b") {
			t.Errorf("got %q, want a name without a person and control characters", got)
		}
		// Without a hardware name, no part of an owner's name may remain, wherever
		// it is.
		d.Name, d.Product = name+" Adelgunde "+name, ""
		if got := publicMicrophone(d, nil); strings.Contains(got, "Adelgunde") {
			t.Errorf("%q contains the owner's name", got)
		}
	})
}

func TestAccountNames(t *testing.T) {
	for _, n := range accountNames() {
		if len([]rune(n)) < 3 || strings.ContainsAny(n, `\ `) {
			t.Errorf("account name %q is too short or contains a separator", n)
		}
	}
}
