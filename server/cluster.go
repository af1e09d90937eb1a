package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/server/cert"
	"github.com/tonprobe/tonprobe/server/cluster"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// joinCluster connects the collector with the others of its PostgreSQL database. sealKey is the key of
// the secrets of staff.
func (s *Server) joinCluster(ctx context.Context, sealKey []byte) error {
	c := s.config
	if c.DatabaseURL == "" {
		return nil
	}
	identity, err := cert.Identity(datadir.TLS(c.DataDir))
	if err != nil {
		return err
	}
	key := derive(identity.Seed(), "cluster")
	if len(c.TURNSecret) == 0 {
		// The collectors accept the credentials of each other without further configuration.
		s.config.TURNSecret = derive(identity.Seed(), "turn")
	}
	secrets := []cluster.Secret{
		cluster.NewSecret("the key "+datadir.TLS(c.DataDir)+"/identity.key (copy the directory tls of that collector, or stop it)", key, identity),
		cluster.NewSecret("the TURN secret (give all collectors the same --turn-secret-file, or none)", key, s.config.TURNSecret),
		cluster.NewSecret("the key "+datadir.TLS(c.DataDir)+"/staff.key (copy it from that collector, or stop it)", key, sealKey),
	}
	bus, err := cluster.OpenPostgres(ctx, func(ctx context.Context) (*pgx.Conn, error) {
		return sqlstore.ConnectPostgres(ctx, c.DatabaseURL)
	}, secrets, c.Log)
	switch {
	case errors.Is(err, cluster.ErrSecret):
		return fmt.Errorf("%w: %w", ErrConfig, err)
	case err != nil:
		return fmt.Errorf("connect with the other collectors: %w", err)
	}
	s.cluster, err = cluster.New(cluster.Config{Bus: bus, Key: key, Hub: s.live, Agents: s.agents, Now: c.Now, Random: c.Rand, Log: c.Log,
		Targets: func() []byte { b, _ := os.ReadFile(datadir.Targets(c.DataDir)); return b }})
	if err != nil {
		bus.Close()
		return err
	}
	s.cluster.Start()
	return nil
}

// derive returns a key for one purpose.
func derive(seed []byte, purpose string) []byte {
	m := hmac.New(sha256.New, seed)
	_, _ = m.Write([]byte("tonprobe " + purpose))
	return m.Sum(nil)
}

// leads reports whether this collector does the work that only one collector of a database does.
func (s *Server) leads() bool { return s.cluster == nil || s.cluster.Leads() }

func (s *Server) registerClusterMetrics(registry *prometheus.Registry) {
	if s.cluster == nil {
		return
	}
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tonprobe_cluster_collectors_heard", Help: "Other collectors of the same database whose messages arrive."},
			func() float64 { return float64(s.cluster.Others()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tonprobe_cluster_leads", Help: "1 if this collector does the work that only one collector of a database does."},
			func() float64 {
				if s.cluster.Leads() {
					return 1
				}
				return 0
			}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tonprobe_cluster_ignored_total", Help: "Notifications that were not from a collector with the same key, were repeated, or were of another time."},
			func() float64 { return float64(s.cluster.Ignored()) }),
	)
}
