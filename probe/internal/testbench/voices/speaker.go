package voices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/tonprobe/tonprobe/probe/audio/wav"
)

// Speaker is a voice of espeak-ng and its text.
type Speaker struct {
	Voice string // of espeak-ng, such as "de+f2"
	Text  string
	Pitch int // 0..99; 50 is the default of the voice
	WPM   int // words per minute; 175 is the default of espeak-ng
	// Shrink shortens the vocal tract, as for a child: formants and pitch rise by this
	// factor. 0 is 1.
	Shrink float64
}

// Name returns a name that identifies the speaker.
func (s Speaker) Name() string {
	if s == nobody {
		return "nobody"
	}
	name := fmt.Sprintf("%s p%d s%d", s.Voice, s.Pitch, s.WPM)
	if s.Shrink != 0 {
		name += fmt.Sprintf(" x%g", s.Shrink)
	}
	return name
}

// nobody is the speaker of a recording without speech.
var nobody = Speaker{}

const (
	textGerman  = "Guten Tag, hier spricht die Ratsfrau. Ich bitte um das Wort zum Tagesordnungspunkt drei. Wir haben den Haushalt lange beraten."
	textEnglish = "Good evening, this is the councillor speaking. I would like to comment on item three of the agenda, if I may."
	textFrench  = "Bonsoir, je m'appelle Martin. Je voudrais parler du budget de notre ville. Est-ce que vous m'entendez bien ?"
	textItalian = "Buonasera, mi chiamo Rossi e vorrei parlare del bilancio della nostra città. Mi sentite bene adesso?"
	textSpanish = "Buenas tardes, me llamo García. Quisiera hablar del presupuesto de nuestra ciudad. ¿Me oyen bien?"
	textDutch   = "Goedenavond, ik ben raadslid. Ik wil graag iets zeggen over agendapunt drie. Kunt u mij goed horen?"
	textPolish  = "Dobry wieczór, nazywam się Kowalski. Chciałbym zabrać głos w sprawie budżetu miasta. Czy mnie słychać?"
	textTurkish = "İyi akşamlar, benim adım Yılmaz. Şehrimizin bütçesi hakkında konuşmak istiyorum. Beni duyuyor musunuz?"
	textShort   = "Guten Tag, hören Sie mich?"
)

// speakers returns the voices to alternate.
func speakers() []Speaker {
	return []Speaker{
		{Voice: "de", Text: textGerman, Pitch: 50, WPM: 165},
		{Voice: "de+f2", Text: textGerman, Pitch: 50, WPM: 165},
		{Voice: "en-us", Text: textEnglish, Pitch: 45, WPM: 165},
		{Voice: "de+m3", Text: textGerman, Pitch: 40, WPM: 150},
		{Voice: "de+f4", Text: textGerman, Pitch: 65, WPM: 180},
		{Voice: "fr", Text: textFrench, Pitch: 50, WPM: 160},
		{Voice: "de+m7", Text: textGerman, Pitch: 55, WPM: 170},
		{Voice: "en-gb+f3", Text: textEnglish, Pitch: 55, WPM: 155},
		{Voice: "de+m1", Text: textGerman, Pitch: 20, WPM: 140},
		{Voice: "it", Text: textItalian, Pitch: 60, WPM: 165},
		{Voice: "de+f5", Text: textGerman, Pitch: 45, WPM: 160},
		{Voice: "es+m4", Text: textSpanish, Pitch: 35, WPM: 165},
		{Voice: "nl+f1", Text: textDutch, Pitch: 60, WPM: 160},
		{Voice: "pl", Text: textPolish, Pitch: 50, WPM: 155},
		{Voice: "tr+f2", Text: textTurkish, Pitch: 70, WPM: 165},
		{Voice: "en+m2", Text: textEnglish, Pitch: 30, WPM: 185},
		{Voice: "de+grandma", Text: textGerman, Pitch: 50, WPM: 140},
	}
}

// ErrNoVoices means that espeak-ng, which generates the voices, is not installed.
var ErrNoVoices = errors.New("espeak-ng is not installed: apt-get install espeak-ng")

// Studio generates speech with espeak-ng, once for each speaker.
type Studio struct {
	dir string

	mu    sync.Mutex
	said  map[Speaker]func() (voice, error)
	heard map[atRate]func() ([]float32, error)
}

// voice is the output of espeak-ng.
type voice struct {
	rateHz  float64
	samples []float64
}

// atRate is a speaker at a sampling rate.
type atRate struct {
	who    Speaker
	rateHz int
}

// NewStudio returns a studio with files in dir, or ErrNoVoices.
func NewStudio(dir string) (*Studio, error) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		return nil, ErrNoVoices
	}
	return &Studio{dir: dir, said: map[Speaker]func() (voice, error){}, heard: map[atRate]func() ([]float32, error){}}, nil
}

// say returns the speech of a speaker at a sampling rate. It is safe for concurrent use.
func (s *Studio) say(ctx context.Context, who Speaker, rateHz int) ([]float64, error) {
	s.mu.Lock()
	heard, ok := s.heard[atRate{who, rateHz}]
	if !ok {
		speak := s.speaking(ctx, who)
		heard = sync.OnceValues(func() ([]float32, error) {
			v, err := speak()
			return narrowed(resample(v.samples, v.rateHz, float64(rateHz))), err
		})
		s.heard[atRate{who, rateHz}] = heard
	}
	s.mu.Unlock()
	samples, err := heard()
	return widened(samples), err
}

// speaking returns a function that generates the speech of who once. s.mu must be held.
func (s *Studio) speaking(ctx context.Context, who Speaker) func() (voice, error) {
	said, ok := s.said[who]
	if !ok {
		file := filepath.Join(s.dir, strconv.Itoa(len(s.said))+".wav")
		said = sync.OnceValues(func() (voice, error) { return speak(ctx, who, file) })
		s.said[who] = said
	}
	return said
}

// narrowed halves the memory of the cached voices.
func narrowed(samples []float64) []float32 {
	out := make([]float32, len(samples))
	for i, x := range samples {
		out[i] = float32(x)
	}
	return out
}

func widened(samples []float32) []float64 {
	out := make([]float64, len(samples))
	for i, x := range samples {
		out[i] = float64(x)
	}
	return out
}

func speak(ctx context.Context, who Speaker, file string) (voice, error) {
	cmd := exec.CommandContext(ctx, "espeak-ng", "-v", who.Voice, "-p", strconv.Itoa(who.Pitch), "-s", strconv.Itoa(who.WPM), "-w", file, who.Text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return voice{}, fmt.Errorf("speak as %s: %w: %s", who.Name(), err, out)
	}
	samples, format, err := readWAV(file)
	if err != nil {
		return voice{}, fmt.Errorf("speak as %s: %w", who.Name(), err)
	}
	v := voice{rateHz: float64(format.RateHz), samples: samples}
	if who.Shrink != 0 {
		v.rateHz *= who.Shrink
	}
	return v, nil
}

// readWAV returns the interleaved samples of a file.
func readWAV(path string) ([]float64, wav.Format, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, wav.Format{}, err
	}
	defer file.Close()
	r, err := wav.NewReader(file)
	if err != nil {
		return nil, wav.Format{}, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	var samples []float64
	block := make([]float32, 4096*r.Format().Channels)
	for {
		n, err := r.Read(block)
		for _, x := range block[:n] {
			samples = append(samples, float64(x))
		}
		if errors.Is(err, io.EOF) {
			return samples, r.Format(), nil
		}
		if err != nil {
			return nil, wav.Format{}, fmt.Errorf("read %s: %w", filepath.Base(path), err)
		}
	}
}
