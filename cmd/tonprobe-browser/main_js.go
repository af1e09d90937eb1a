package main

import (
	"crypto/rand"
	"encoding/json"
	"syscall/js"
	"time"
	"unsafe"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// main gives the page the object tonprobe and then serves its calls. Each function returns a JSON
// text, or an Error.
func main() {
	p := &page{}
	js.Global().Set("tonprobe", map[string]any{
		"listen":    answer(p.listen),
		"hear":      answer(p.hear),
		"packets":   answer(packets),
		"finish":    answer(p.finish),
		"show":      answer(p.show),
		"inSession": answer(p.inSession),
	})
	select {}
}

// page is the state between two calls of the page.
type page struct{ heard *capture }

func answer(f func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		v, err := f(args)
		if err == nil {
			var b []byte
			if b, err = json.Marshal(v); err == nil {
				return string(b)
			}
		}
		return js.Global().Get("Error").New(err.Error())
	})
}

// listen begins a recording at a sampling rate in Hz.
func (p *page) listen(args []js.Value) (any, error) {
	heard, err := newCapture(args[0].Int())
	p.heard = heard
	return err == nil, err
}

// hear takes samples, as the bytes of a Float32Array.
func (p *page) hear(args []js.Value) (any, error) {
	samples := make([]float32, args[0].Length()/4)
	if len(samples) > 0 {
		js.CopyBytesToGo(unsafe.Slice((*byte)(unsafe.Pointer(&samples[0])), 4*len(samples)), args[0])
		p.heard.add(samples)
	}
	return p.heard.meter(), nil
}

// packets takes, for each packet that was sent, 1 if its echo has arrived, and otherwise 0. It returns how
// many packets the stream has.
func packets(args []js.Value) (any, error) { return packetsAfter(args[0].String()), nil }

// finish takes a visit and returns the report.
func (p *page) finish(args []js.Value) (any, error) {
	return finish([]byte(args[0].String()), p.heard, rand.Reader)
}

// show takes a report and a language.
func (p *page) show(args []js.Value) (any, error) {
	r, err := report.Decode([]byte(args[0].String()))
	if err != nil {
		return nil, err
	}
	lang, ok := phrase.ParseLang(args[1].String())
	if !ok {
		lang = phrase.EN
	}
	return sheetOf(r, lang)
}

// inSession takes the collector's targets and the time in Unix ms.
func (p *page) inSession(args []js.Value) (any, error) {
	return inSession([]byte(args[0].String()), time.UnixMilli(int64(args[1].Float()))), nil
}
