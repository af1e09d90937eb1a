package server

import "context"

// ready returns the readiness checks by the name of the part.
func (s *Server) ready() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"store":     s.store.Ping,
		"disk":      func(context.Context) error { return roomFor(s.config) },
		"reflector": func(ctx context.Context) error { return s.reflector.Check(ctx, s.config.mediaHost()) },
	}
}
