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
		t.Errorf("the service has no access: %s", text)
	}
	if owner, _, err := sd.Owner(); err != nil || !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		t.Errorf("owned by %v, %v", owner, err)
	}
	for _, group := range []string{";WD)", ";BU)", ";AU)", ";IU)", ";FA;;;OW)"} {
		if strings.Contains(text, group) {
			t.Errorf("open to %s: %s", group, text)
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
			t.Errorf("%s: %v", sid, got)
		}
	}
}
