package netbench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

func (w *World) openGateway(ctx context.Context) error {
	var begin []func()
	err := w.ns.within(atGateway, func() (err error) {
		if w.names, err = listenDNS(privateGateway, publicGateway); err != nil {
			return err
		}
		var pages, proxy, inspection func()
		if pages, w.pages, err = listenPortal(privateGateway); err != nil {
			return err
		}
		if proxy, w.proxy, err = listenProxy(privateGateway, w.dialFrom(atGateway)); err != nil {
			return err
		}
		inspection, w.inspection, err = listenInspection(privateGateway, w.dialFrom(atGateway), serverAddr)
		begin = []func(){pages, proxy, inspection}
		return err
	})
	if err != nil {
		return err
	}
	w.names.serve(ctx)
	for _, b := range begin {
		b()
	}
	return nil
}

func (w *World) openFront() error {
	var begin func()
	err := w.ns.within(atServer, func() (err error) {
		begin, w.front, err = listenFront(w.ca, w.dialFrom(atServer))
		return err
	})
	if err != nil {
		return err
	}
	begin()
	ca, err := os.ReadFile(w.ca)
	if err != nil {
		return fmt.Errorf("read the collector's authority: %w", err)
	}
	w.caAndBox = w.data("ca-and-box.pem")
	return os.WriteFile(w.caAndBox, append(ca, w.inspection.pem()...), 0o644)
}

// dialFrom returns a function that opens connections from a host, to an address or
// to ServerName.
func (w *World) dialFrom(host int) dial {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		if name, port, err := net.SplitHostPort(address); err == nil && name == ServerName {
			address = net.JoinHostPort(serverAddr.String(), port)
		}
		err = w.ns.within(host, func() error {
			// An address instead of a name, so that the dialer starts no goroutine
			// outside of the namespace.
			conn, err = (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}
}

// servePages opens and closes port 80 of the server, which answers every request
// with a page.
func (w *World) servePages(open bool) error {
	if open == (w.everyPage != nil) {
		return nil
	}
	if !open {
		err := w.everyPage.Close()
		w.everyPage = nil
		return err
	}
	var l net.Listener
	err := w.ns.within(atServer, func() (err error) {
		l, err = net.Listen("tcp4", netip.AddrPortFrom(serverAddr, 80).String())
		return err
	})
	if err != nil {
		return fmt.Errorf("open port 80 of the server: %w", err)
	}
	w.everyPage = &http.Server{Handler: http.HandlerFunc(showLogin), ReadHeaderTimeout: 5 * time.Second}
	s := w.everyPage
	go func() { _ = s.Serve(l) }()
	return nil
}

func (w *World) closeBoxes() {
	if w.pages != nil {
		w.pages.close()
	}
	for _, s := range w.boxServers() {
		_ = s.Close()
	}
}

func (w *World) boxServers() (all []*http.Server) {
	if w.proxy != nil {
		all = append(all, w.proxy.server)
	}
	if w.inspection != nil && w.inspection.server != nil {
		all = append(all, w.inspection.server)
	}
	if w.front != nil {
		all = append(all, w.front.server)
	}
	if w.everyPage != nil {
		all = append(all, w.everyPage)
	}
	return all
}

func (w *World) desktopDir() string { return w.data("desktop") }

// setDesktop replaces GNOME's settings program, because there is no desktop in a
// namespace.
func (w *World) setDesktop(settings string) error {
	program := filepath.Join(w.desktopDir(), "gsettings")
	if settings == "" {
		if err := os.Remove(program); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the desktop's settings: %w", err)
		}
		return nil
	}
	if err := os.MkdirAll(w.desktopDir(), 0o755); err != nil {
		return fmt.Errorf("set up the desktop's settings: %w", err)
	}
	return os.WriteFile(program, []byte("#!/bin/sh\ncat <<'END'\n"+settings+"END\n"), 0o755)
}
