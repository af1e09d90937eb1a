package zoom

import (
	_ "embed"
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

//go:embed ports.toml
var portsFile []byte

// Ports are the ports that a firewall must let out. Each is a number or a range, such as
// "8801-8810".
type Ports struct {
	TCP    []string `toml:"tcp"`
	UDP    []string `toml:"udp"`
	Source string   `toml:"source"`
}

// Published returns the ports that Zoom publishes for meetings. No check tests them.
func Published() (Ports, error) {
	var p Ports
	if err := toml.Unmarshal(portsFile, &p); err != nil {
		return Ports{}, fmt.Errorf("published ports of Zoom: %w", err)
	}
	return p, nil
}
