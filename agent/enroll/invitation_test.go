package enroll

import (
	"errors"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/report/origin"
)

func TestParseInvitation(t *testing.T) {
	pin := strings.Repeat("A", 43)
	link := "tonprobe://enroll?tonprobe.example.org:8443/K2MV-H5MN-00DY/" + pin
	for _, c := range []struct {
		name, text, server string
		want               Invitation
		pin                string
		err                error
	}{
		{name: "link", text: link, want: Invitation{Server: "https://tonprobe.example.org:8443", Code: "K2MV-H5MN-00DY"}, pin: pin},
		{name: "wrapped", text: link[:30] + "\n  " + link[30:70] + "\r\n" + link[70:], want: Invitation{Server: "https://tonprobe.example.org:8443", Code: "K2MV-H5MN-00DY"}, pin: pin},
		{name: "link beside a server", text: link, server: "https://other.example.org", want: Invitation{Server: "https://tonprobe.example.org:8443", Code: "K2MV-H5MN-00DY"}, pin: pin},
		{name: "link without its end", text: link[:len(link)-5], err: ErrLinkForm},
		{name: "link without a code", text: "tonprobe://enroll?tonprobe.example.org/!", err: ErrLinkForm},
		{name: "code", text: " k2mv h5mn 00dy", server: "tonprobe.example.org", want: Invitation{Server: "tonprobe.example.org", Code: " k2mv h5mn 00dy"}},
		{name: "code alone", text: "K2MV-H5MN-00DY", err: ErrNoServer},
		{name: "no code", text: "hello, world", server: "tonprobe.example.org", err: ErrCodeForm},
		{name: "nothing", err: ErrCodeForm},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseInvitation(c.text, c.server)
			if !errors.Is(err, c.err) || got.Server != c.want.Server || got.Code != c.want.Code {
				t.Errorf("got %+v, error %v; want Server %v, Code %v, %v", got, err, c.want.Server, c.want.Code, c.err)
			}
			if (got.Pins != nil) != (c.pin != "") || got.Pins != nil && got.Pins.CA[0] != c.pin {
				t.Errorf("got pins %+v, want %q", got.Pins, c.pin)
			}
		})
	}
	var bad *origin.Error
	if _, err := ParseInvitation("K2MV-H5MN-00DY", "http://tonprobe.example.org"); !errors.As(err, &bad) {
		t.Errorf("an address without TLS: got error %v, want an *origin.Error", err)
	}
}
