package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/release"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/tui/words"
)

// maxNewsRunes limits what is shown of the news.
const maxNewsRunes = 200

// releaseNotice returns the line about a new version; "" if the announcement is missing, not
// valid, or of no newer version. Its text is shown only after its signature was verified.
func (p *program) releaseNotice(announcement string, now time.Time) string {
	if announcement == "" || p.releaseKey == "" {
		return ""
	}
	key, err := release.ParseKey(p.releaseKey)
	if err != nil {
		return ""
	}
	r, err := release.Parse(announcement, key, now)
	if err != nil || !r.Newer(p.version) {
		return ""
	}
	return p.t("release.notice", "version", r.Version, "news", words.Clean(r.News[string(p.lang)], maxNewsRunes))
}

// knownRelease returns the announcement that the service or, without one, the folder of c
// has.
func knownRelease(ctx context.Context, c config.Config) string {
	if c.Socket != "" {
		status, err := local.NewClient(c.Socket).Status(ctx)
		if err != nil {
			return ""
		}
		return status.Targets.Release
	}
	st, err := station.Open(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return ""
	}
	return st.Release()
}
