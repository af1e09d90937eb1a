package page

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/tui/words"
)

// TestSameNamesAreNumbered: two microphones with the same name are distinguished in the
// list, in the choice passed to a check, and in the offer to use the other one.
func TestSameNamesAreNumbered(t *testing.T) {
	w, err := words.In(phrase.DE)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDevices([]Microphone{{ID: "usb-1", Name: "USB Audio", IsDefault: true}, {ID: "cam", Name: "Webcam"}, {ID: "usb-2", Name: "USB Audio"}})
	var labels []string
	for _, m := range d.All() {
		labels = append(labels, m.Label(w, 40))
	}
	if got := strings.Join(labels, ", "); got != "USB Audio (Nr. 1), Webcam, USB Audio (Nr. 2)" {
		t.Errorf("got labels %s, want %s", got, "USB Audio (Nr. 1), Webcam, USB Audio (Nr. 2)")
	}
	if got := d.Choose(2).Chosen().Device(); got != "usb-2" {
		t.Errorf("got choice %q for a check, want %q", got, "usb-2")
	}
	if got := (Microphone{Name: strings.Repeat("x", 60), Twin: 2}).Label(w, 30); len([]rune(got)) > 30 || !strings.HasSuffix(got, "(Nr. 2)") {
		t.Errorf("a long name: got %q, want at most 30 characters ending with %q", got, "(Nr. 2)")
	}
	c := Checking{Course: Course{Chosen: labels[0], Microphones: d.All()}}
	c = c.hear(probe.Event{Kind: probe.EventVoiceElsewhere, Device: "usb-2", DeviceName: "USB Audio"}, c.heardAt)
	if got := c.elsewhere.Sentence(w); !strings.Contains(got, "(Nr. 1)") || !strings.Contains(got, "(Nr. 2)") {
		t.Errorf("got sentence %s; want it to contain %q and %q", got, "(Nr. 1)", "(Nr. 2)")
	}
}
