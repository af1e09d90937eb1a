package resident

import (
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestAccessOfTheFolder(t *testing.T) {
	const service = "S-1-5-80-1-2-3-4-5"
	sd, err := windows.SecurityDescriptorFromString(accessFor(service))
	if err != nil {
		t.Fatal(err)
	}
	text := sd.String()
	if !strings.Contains(text, service) {
		t.Errorf("got %s, want access for %s", text, service)
	}
	if owner, _, err := sd.Owner(); err != nil || !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		t.Errorf("got owner %v, %v, want the administrators", owner, err)
	}
	for _, group := range []string{";WD)", ";BU)", ";AU)", ";IU)", ";FA;;;OW)"} {
		if strings.Contains(text, group) {
			t.Errorf("got %s, want no access for %s", text, group)
		}
	}
}

func TestOwnersOfTheFolder(t *testing.T) {
	for sid, want := range map[string]bool{
		"S-1-5-18": true, "S-1-5-32-544": true, serviceSID(Name): true,
		"S-1-5-32-545": false, "S-1-5-21-1-2-3-1001": false, serviceSID("Spooler"): false,
	} {
		owner, err := windows.StringToSid(sid)
		if err != nil {
			t.Fatal(err)
		}
		if got := mayOwnData(owner); got != want {
			t.Errorf("%s: got %v, want %v", sid, got, want)
		}
	}
}
