package main

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

//go:embed texts/*.toml
var textFiles embed.FS

// errHelp means that the help was requested and has been printed.
var errHelp = errors.New("help was requested")

// options are the options of the command line.
type options struct {
	once     bool
	evening  bool
	json     string // "" means no report, "-" standard output
	noAudio  bool
	speakFor time.Duration
	lang     phrase.Lang
	texts    *phrase.Book
	stdout   io.Writer // nil is standard output
}

// out returns the stream for text: with --json -, standard output contains the report only.
func (o options) out() io.Writer {
	if o.json == "-" {
		return os.Stderr
	}
	if o.stdout != nil {
		return o.stdout
	}
	return os.Stdout
}

func loadTexts(lang phrase.Lang) (*phrase.Book, error) {
	sub, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return nil, err
	}
	return phrase.Load(sub, lang)
}

func parse(args []string, getenv func(string) string) (options, error) {
	o := options{lang: phrase.FromLocale(getenv)}
	var err error
	if o.texts, err = loadTexts(o.lang); err != nil {
		return o, err
	}
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.BoolVar(&o.once, "once", false, "")
	f.BoolVar(&o.evening, "evening", false, "")
	f.StringVar(&o.json, "json", "", "")
	f.BoolVar(&o.noAudio, "no-audio", false, "")
	seconds := f.Int("speak-seconds", 0, "")
	lang := f.String("lang", string(o.lang), "")
	err = f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(os.Stdout, o.texts.T("usage"))
		return o, errHelp
	}
	if err != nil || f.NArg() > 0 {
		return o, o.misuse(err, f.Args())
	}
	if *seconds < 0 || *seconds > 60 {
		return o, o.misuse(errors.New(o.texts.T("speak_seconds")), nil)
	}
	o.speakFor = time.Duration(*seconds) * time.Second
	l, ok := phrase.ParseLang(*lang)
	if !ok {
		return o, o.misuse(errors.New(o.texts.T("lang")), nil)
	}
	o.lang = l
	if o.evening && (o.json != "" || o.noAudio || *seconds != 0) {
		return o, o.misuse(errors.New(o.texts.T("evening_alone")), nil)
	}
	o.texts, err = loadTexts(l)
	return o, err
}

func (o options) misuse(err error, rest []string) error {
	why := o.texts.T("surplus", "args", fmt.Sprintf("%q", rest))
	if err != nil {
		why = err.Error()
	}
	return fmt.Errorf("%s\n%s", why, o.texts.T("usage"))
}
