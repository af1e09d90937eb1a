package enroll

import (
	"errors"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// Reasons why a text is not an invitation, in addition to ErrCodeForm and
// *origin.Error.
var (
	// ErrLinkForm means that a part of the link is missing.
	ErrLinkForm = errors.New("not a complete enrolment link")
	// ErrNoServer means that there is a code, but no collector.
	ErrNoServer = errors.New("the collector's address is missing")
)

// Invitation is the link or the code that a person received.
type Invitation struct {
	Server, Code string
	Pins         *trust.Pins // nil if the collector's certificate is trusted without them
}

// ParseInvitation parses a link, or a code for the collector at server. A link
// contains its own collector.
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
