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
	for _, group := range []string{";WD)", ";BU)", ";AU)", ";IU)"} {
		if strings.Contains(text, group) {
			t.Errorf("open to %s: %s", group, text)
		}
	}
}
