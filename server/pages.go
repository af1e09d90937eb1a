package server

import (
	"net/http"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/web"
)

// pages returns the handler of the dashboard.
func (s *Server) pages() (http.Handler, error) {
	c := s.config
	return web.New(web.Config{Store: s.store, Auth: s.auth, Live: s.live, Common: s.common.Findings, Agents: s.agents, Enroller: s.enroller, Log: c.Log, Now: c.Now,
		PublicOrigin: c.publicOrigin(), Version: c.Version, Contact: c.Contact, Arbitration: c.Arbitration, Downloads: datadir.Downloads(c.DataDir), AuthorityPin: s.AuthorityPin, FreshFor: c.FreshFor, Random: c.Rand, Glossary: c.Glossary, Zone: c.TimeZone,
		Alerts: alertPage{s.alerts}, Rules: s.rules, Later: s.later.Go, Erase: s.erase, Keep: c.keep(), Copies: func() ([]privacy.Copy, error) { return privacy.Copies(c.DataDir) }, Shared: s.limits})
}
