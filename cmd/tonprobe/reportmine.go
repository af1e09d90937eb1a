package main

import (
	"context"
	"errors"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// ownPageTime limits the request for a code.
const ownPageTime = 15 * time.Second

// errNoOwnPage means that the collector has no such page, because it is older.
var errNoOwnPage = errors.New("the collector has no page about its participants")

// ownPage is the answer of "tonprobe report mine" as JSON.
type ownPage struct {
	Address   string    `json:"address"`
	Code      string    `json:"code"`
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`
}

// reportMine prints where the collector shows everything that is stored about this computer's
// participant, and a code that opens that page once.
func (p *program) reportMine(ctx context.Context, c config.Config, asJSON bool) error {
	st, how, err := station.Connect(ctx, c, p.logger(false))
	if err != nil {
		return err
	}
	p.warnConnection(how)
	if !st.Enrolled() {
		return &usageError{key: "report.mine_not_enrolled"}
	}
	page, err := requestOwnPage(ctx, st)
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(page)
	}
	p.say("report.mine", "link", page.Link, "address", page.Address, "code", page.Code)
	return nil
}

// requestOwnPage requests a code. Its errors have a text.
func requestOwnPage(ctx context.Context, st *station.Station) (ownPage, error) {
	ctx, cancel := context.WithTimeout(ctx, ownPageTime)
	defer cancel()
	code, address, err := st.Collector().OwnPage(ctx)
	if err != nil {
		return ownPage{}, ownPageError(err)
	}
	// The code is the fragment of the link, which browsers do not send.
	return ownPage{Address: address, Code: code.Code, Link: address + "#" + code.Code, ExpiresAt: code.ExpiresAt}, nil
}

// ownPageError returns an error that has a text.
func ownPageError(err error) error {
	refused, ok := errors.AsType[*collector.APIError](err)
	switch {
	case !ok && collector.Untrusted(err):
		return errors.Join(enroll.ErrUntrusted, err)
	case !ok:
		return errors.Join(enroll.ErrUnreachable, err)
	case refused.Code == wire.CodeTokenInvalid, refused.Code == wire.CodeTokenReplaced:
		return errors.Join(uplink.ErrEnrolAgain, err)
	case refused.Code == wire.CodeErased:
		return errors.Join(uplink.ErrErased, err)
	case refused.Status == 403:
		return errors.Join(uplink.ErrBlocked, err)
	case refused.Status == 404, refused.Status == 405:
		return errNoOwnPage
	case refused.Status == 429:
		return errors.Join(enroll.ErrTooMany, err)
	}
	return err
}
