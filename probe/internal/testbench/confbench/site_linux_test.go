package confbench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/netbench"
)

// Secrets of the servers, which only they and the collector know.
const (
	bbbSecret  = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
	liveKitKey = "devkey"
	longSecret = "secretsecretsecretsecretsecretsecret"
)

// Ports of the servers. The collector has 443, 3478 to 3480 and 5349.
const (
	janusPort    = 8089
	socketPort   = 8989
	liveKitPort  = 7443
	bbbPort      = 8444
	whipPort     = 8445
	ingestPort   = 1936
	zoomPort     = 8446
	liveKitUDP   = 7882
	liveKitTCP   = 7881
	liveKitRelay = 3510
	reflectMedia = 3490
	reflectSTUN  = 3500
	janusMedia   = 20000
	relayPort    = 3520
)

// site is the server's side of one scenario.
type site struct {
	w       *netbench.World
	ctx     context.Context
	dir     string
	program netbench.Programs
	running []*exec.Cmd
	name    string // of the target, unique for each scenario
}

// startTime limits the start of a server.
const startTime = 30 * time.Second

func (s *site) at(port int) string { return fmt.Sprintf("%s:%d", netbench.ServerAddress(), port) }

// close stops the servers.
func (s *site) close() {
	for _, c := range s.running {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// run starts a program at the server and waits for a line of its output that contains
// word; if word is "", it does not wait.
func (s *site) run(c *exec.Cmd, word string) error {
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if c.Stdin == nil {
		if _, err := c.StdinPipe(); err != nil {
			return err
		}
	}
	if err := c.Start(); err != nil {
		return err
	}
	s.running = append(s.running, c)
	late := time.AfterFunc(startTime, func() { _ = c.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(out)
	var said []string
	for found := word == ""; !found; {
		if !lines.Scan() {
			return fmt.Errorf("%s did not start: %s", filepath.Base(c.Path), strings.Join(said, "\n"))
		}
		said = append(said, lines.Text())
		found = strings.Contains(lines.Text(), word)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return nil
}

// serve starts this program again as a server.
func (s *site) serve(p part) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := s.w.AtServer(s.ctx, self, "-test.run=^TestServe$", "-test.v")
	c.Env = append(os.Environ(), envPart+"="+string(b))
	return s.run(c, ready)
}

// certified adds a certificate of a host to a part. kind is "", expired or wrong_name.
func (s *site) certified(p part, kind string) (part, error) {
	host, until := p.host(), time.Now().Add(24*time.Hour)
	switch kind {
	case "expired":
		until = time.Now().Add(-24 * time.Hour)
	case "wrong_name":
		host = "www.example.org"
	}
	cert, key, err := s.w.Issue(host, until)
	p.Cert, p.Key = string(cert), string(key)
	return p, err
}

// front starts a web server with TLS in front of an upstream.
func (s *site) front(host string, port int, upstream, fault, certificate string) error {
	p, err := s.certified(part{Kind: "front", Listen: s.at(port), Host: host, Upstream: upstream, Fault: fault}, certificate)
	if err != nil {
		return err
	}
	return s.serve(p)
}

// file writes a file of the scenario and returns its path.
func (s *site) file(name, text string) (string, error) {
	file := filepath.Join(s.dir, name)
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// janus starts a real Janus with additional settings, whose APIs are behind fronts.
func (s *site) janus(general, fault, certificate string) error {
	const janusHost = "janus.example.org"
	library, _ := filepath.Glob("/usr/lib/*/janus")
	if len(library) == 0 {
		return fmt.Errorf("the plugins of Janus are missing")
	}
	dir, err := os.MkdirTemp(s.dir, "janus")
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"janus.jcfg":                      janusConfig(library[0], general, janusMedia, netbench.ServerAddress().String()),
		"janus.transport.http.jcfg":       janusHTTPConfig(8088),
		"janus.transport.websockets.jcfg": "general: {\n ws = true\n ws_port = 8188\n ws_ip = \"127.0.0.1\"\n wss = false\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if fault != "down" {
		if err := s.run(s.w.AtServer(s.ctx, "janus", "-F", dir, "-o"), ""); err != nil {
			return err
		}
	}
	if err := s.front(janusHost, janusPort, "http://127.0.0.1:8088", fault, certificate); err != nil {
		return err
	}
	return s.front(janusHost, socketPort, "http://127.0.0.1:8188", fault, certificate)
}

// janusConfig are the settings of a Janus whose media have one address, or one interface.
func janusConfig(library, general string, media int, address string) string {
	return fmt.Sprintf("general: {\n plugins_folder = \"%s/plugins\"\n transports_folder = \"%s/transports\"\n %s\n}\n"+
		"media: { rtp_port_range = \"%d-%d\" }\nnat: { full_trickle = true\n ice_enforce_list = %q }\n"+
		"transports: { disable = \"libjanus_pfunix.so,libjanus_mqtt.so,libjanus_rabbitmq.so,libjanus_nanomsg.so\" }\n",
		library, library, general, media, media+200, address)
}

func janusHTTPConfig(port int) string {
	return fmt.Sprintf("general: {\n base_path = \"/janus\"\n http = true\n port = %d\n ip = \"127.0.0.1\"\n https = false\n}\n", port)
}

// liveKit starts a real LiveKit behind a front, and adds it to the targets.
func (s *site) liveKit(relay, fault, certificate, secret string) error {
	const host = "livekit.example.org"
	program, err := liveKitProgram()
	if err != nil {
		return err
	}
	// LiveKit offers its node address for each address of the computer. Of these equal
	// candidates it keeps any one, which may belong to the socket of another address: it then
	// ignores packets to the node address. The other addresses are therefore excluded.
	config := fmt.Sprintf("port: 7880\nbind_addresses: [127.0.0.1]\nkeys: {%s: %s}\nlogging: {level: error}\nrtc: {udp_port: %d, tcp_port: %d, use_external_ip: false, ips: {includes: [%s/32]}}\n%s",
		liveKitKey, longSecret, liveKitUDP, liveKitTCP, netbench.ServerAddress(), relay)
	if fault != "down" {
		if err := s.run(s.w.AtServer(s.ctx, program, "--config-body", config, "--node-ip", netbench.ServerAddress().String()), ""); err != nil {
			return err
		}
	}
	if err := s.front(host, liveKitPort, "http://127.0.0.1:7880", fault, certificate); err != nil {
		return err
	}
	file, err := s.file(s.name+".key", secret)
	if err != nil {
		return err
	}
	return s.w.AddTarget(s.ctx, s.name, "--system", "livekit", "--url", fmt.Sprintf("wss://%s:%d", host, liveKitPort), "--api-key", liveKitKey, "--api-secret-file", file)
}

func liveKitProgram() (string, error) {
	if program, err := exec.LookPath("livekit-server"); err == nil {
		return program, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(cache, "tonprobe-test", "livekit-server"))
}

// bbb starts a simulated BigBlueButton, and adds it to the targets.
func (s *site) bbb(p part, certificate, secret string) error {
	p.Kind, p.Listen, p.Host, p.Media = "bbb", s.at(bbbPort), "bbb.example.org", netbench.ServerAddress()
	p, err := s.certified(p, certificate)
	if err != nil {
		return err
	}
	if err := s.serve(p); err != nil {
		return err
	}
	return s.addBBB(secret)
}

func (s *site) addBBB(secret string) error {
	file, err := s.file(s.name+".secret", secret)
	if err != nil {
		return err
	}
	return s.w.AddTarget(s.ctx, s.name, "--system", "bbb", "--url", fmt.Sprintf("https://bbb.example.org:%d", bbbPort), "--secret-file", file)
}

// relay starts a real coturn that forwards nothing to the server.
func (s *site) relay() error {
	at := netbench.ServerAddress().String()
	return s.run(s.w.AtServer(s.ctx, "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--listening-ip", at, "--relay-ip", at,
		"--listening-port", fmt.Sprint(relayPort), "--min-port", "42000", "--max-port", "42100", "--realm", "bbb.example.org",
		"--lt-cred-mech", "--user", "bbb:secret", "--denied-peer-ip", at, "--pidfile", filepath.Join(s.dir, s.name+".pid"), "--log-file", "stdout"), "Total General servers")
}

// whip starts the real reflector as a WHIP endpoint, and adds it to the targets.
func (s *site) whip(certificate, secret string) error {
	p, err := s.certified(part{Host: "media.example.org"}, certificate)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"cert": p.Cert, "key": p.Key, "secret": longSecret, "target": secret} {
		if _, err := s.file(s.name+"."+name, text); err != nil {
			return err
		}
	}
	file := func(name string) string { return filepath.Join(s.dir, s.name+"."+name) }
	err = s.run(s.w.AtServer(s.ctx, s.program.Collector, "reflect", "--listen", s.at(whipPort), "--tls-cert", file("cert"), "--tls-key", file("key"),
		"--whip-secret-file", file("secret"), "--stun-listen", s.at(reflectSTUN), "--media-listen", s.at(reflectMedia)), "is ready")
	if err != nil {
		return err
	}
	return s.w.AddTarget(s.ctx, s.name, "--system", "whip", "--url", fmt.Sprintf("https://media.example.org:%d/whip", whipPort), "--secret-file", file("target"))
}
