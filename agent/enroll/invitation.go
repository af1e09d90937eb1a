package enroll

import (
	"errors"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// The reasons, beside ErrCodeForm and a *origin.Error, why a text is no
// invitation.
var (
	// ErrLinkForm is a link of which a part is missing.
	ErrLinkForm = errors.New("not a complete enrolment link")
	// ErrNoServer is a code without the address that it is for.
	ErrNoServer = errors.New("the collector's address is missing")
)

// Invitation is what a person was given to enrol with.
type Invitation struct {
	Server, Code string
	Pins         *trust.Pins // nil where the collector's certificate is trusted anyway
}

// ParseInvitation reads a link, or a code for the collector at server. A link
// names its own collector.
func ParseInvitation(text, server string) (Invitation, error) {
	if wire.IsInvitation(text) {
		return parseLink(text)
	}
	if _, err := NormalizeCode(text); err != nil {
		return Invitation{}, err
	}
	if server == "" {
		return Invitation{}, ErrNoServer
	}
	if _, err := collector.ParseURL(server); err != nil {
		return Invitation{}, err
	}
	return Invitation{Server: server, Code: text}, nil
}

func parseLink(text string) (Invitation, error) {
	link, err := wire.ParseInvitation(text)
	if err != nil {
		return Invitation{}, ErrLinkForm
	}
	if _, err := NormalizeCode(link.Code); err != nil {
		return Invitation{}, ErrLinkForm
	}
	i := Invitation{Server: link.Origin(), Code: link.Code}
	if link.AuthorityPin != "" {
		i.Pins = &trust.Pins{CA: []string{link.AuthorityPin}}
	}
	return i, nil
}
