package diagnose

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// forbidden contains first steps that may do harm. Many telephones are connected to the
// router, so whoever restarts it cannot call for help. A layman must not weaken the
// computer's protection. Deleted data is lost.
var forbidden = map[phrase.Lang][]string{
	phrase.DE: {
		`(?i)router[^.]*(neu\s?start|aus(schalten|stecken)|vom strom|zurücksetzen|abschalten|stecker)`,
		`(?i)(starten|schalten|ziehen|setzen|trennen)[^.]*router[^.]*(neu|aus|ab|zurück|strom)`,
		`(?i)(virens|firewall|schutzprogramm|sicherheits-?programm)[^.]*(ausnahme|ausschalten|abschalten|deaktivier|aus\.|ab\.|lockern|entfernen|deinstall)`,
		`(?i)(deaktivieren|entfernen|deinstallieren|löschen|formatieren)`,
		`(?i)(smartscreen|tls-prüfung|zertifikat[^.]*(ignorier|trotzdem|weiter))`,
		`(?i)trotzdem (fortfahren|öffnen)`,
		`(?i)(telefonkabel|telefonstecker|tae)`,
	},
	phrase.EN: {
		`(?i)(restart|reboot|reset|switch off|turn off|unplug|power)[^.]*router`,
		`(?i)router[^.]*(restart|reboot|reset|off|unplug)`,
		`(?i)(disable|switch off|turn off|pause|weaken|exception|uninstall)[^.]*(antivirus|virus|firewall|security|protection)`,
		`(?i)(antivirus|virus|firewall|security|protection)[^.]*(disable|off|exception|uninstall)`,
		`(?i)\b(delete|uninstall|format)\b`,
		`(?i)(certificate[^.]*(ignore|anyway)|continue anyway)`,
		`(?i)(phone|telephone) (cable|plug|line)`,
	},
}

// TestNoActionDoesHarm: an action is the first step of the person alone. Further steps,
// together with phone support, belong in the hint.
func TestNoActionDoesHarm(t *testing.T) {
	for lang, patterns := range forbidden {
		b := book(lang)
		actions := 0
		for _, key := range b.Keys() {
			name := key[strings.LastIndexByte(key, '.')+1:]
			if !strings.HasPrefix(key, "cause.") || !strings.HasPrefix(name, "action") {
				continue
			}
			actions++
			for _, p := range patterns {
				if m := regexp.MustCompile(p).FindString(b.T(key)); m != "" {
					t.Errorf("%s %s advises %q: %s", lang, key, m, b.T(key))
				}
			}
		}
		if actions < 60 {
			t.Fatalf("%s: only %d actions found", lang, actions)
		}
	}
}

// TestForbiddenStepsAreFound: the patterns match sentences of earlier versions.
func TestForbiddenStepsAreFound(t *testing.T) {
	for lang, sentences := range map[phrase.Lang][]string{
		phrase.DE: {
			"Starten Sie den Router neu.", "Schalten Sie Ihren Router aus und wieder ein.", "Ziehen Sie den Router kurz vom Strom ab.",
			"Schalten Sie im Virenschutz die Prüfung verschlüsselter Verbindungen aus.", "Tragen Sie den Server im Virenschutz als Ausnahme ein.",
			"Schalten Sie die Firewall aus.", "Deinstallieren Sie den Virenscanner.",
		},
		phrase.EN: {
			"Restart your router.", "Switch your router off and on again.", "Unplug the router.",
			"Turn off the scanning of encrypted connections in your antivirus program.", "Turn off the firewall.",
		},
	} {
		for _, s := range sentences {
			found := false
			for _, p := range forbidden[lang] {
				found = found || regexp.MustCompile(p).MatchString(s)
			}
			if !found {
				t.Errorf("%s: %q was not detected", lang, s)
			}
		}
	}
}

// TestRouterRestartMentionsThePhone: a hint that mentions a restart of the router must
// mention the telephone too.
func TestRouterRestartMentionsThePhone(t *testing.T) {
	restart := map[phrase.Lang]*regexp.Regexp{
		phrase.DE: regexp.MustCompile(`(?i)router[^.]*neu starten`), phrase.EN: regexp.MustCompile(`(?i)(restart[^.]*router|router[^.]*restart)`),
	}
	phone := map[phrase.Lang]*regexp.Regexp{phrase.DE: regexp.MustCompile(`Telefon`), phrase.EN: regexp.MustCompile(`(?i)phone`)}
	for lang, re := range restart {
		for _, key := range book(lang).Keys() {
			if text := book(lang).T(key); re.MatchString(text) && !phone[lang].MatchString(text) {
				t.Errorf("%s %s: %s", lang, key, text)
			}
		}
	}
}
