package browserpolicy

import (
	"golang.org/x/sys/windows/registry"
)

// Read returns what group policies say. Those of the machine take precedence over those of the
// user (chromeenterprise.google/policies).
func Read() (all []Browser) {
	for _, c := range []struct{ name, key string }{
		{"Edge", `Software\Policies\Microsoft\Edge`},
		{"Chrome", `Software\Policies\Google\Chrome`},
		{"Chromium", `Software\Policies\Chromium`},
		{"Brave", `Software\Policies\BraveSoftware\Brave`},
	} {
		b := Browser{Name: c.name}
		for _, root := range []registry.Key{registry.CURRENT_USER, registry.LOCAL_MACHINE} {
			allowed := flag(root, c.key, "AudioCaptureAllowed")
			if allowed != nil {
				*allowed = !*allowed
			}
			b.merge(allowed, list(root, c.key+`\AudioCaptureAllowedUrls`), nil)
		}
		all = append(all, b)
	}
	const firefox = `Software\Policies\Mozilla\Firefox\Permissions\Microphone`
	b := Browser{Name: "Firefox"}
	for _, root := range []registry.Key{registry.CURRENT_USER, registry.LOCAL_MACHINE} {
		b.merge(flag(root, firefox, "BlockNewRequests"), list(root, firefox+`\Allow`), list(root, firefox+`\Block`))
	}
	return append(all, b)
}

// flag returns a number of the registry as a truth value; nil if there is none.
func flag(root registry.Key, key, name string) *bool {
	k, err := registry.OpenKey(root, key, registry.QUERY_VALUE)
	if err != nil {
		return nil
	}
	defer k.Close()
	v, _, err := k.GetIntegerValue(name)
	if err != nil {
		return nil
	}
	return new(v != 0)
}

// list returns the texts below a key.
func list(root registry.Key, key string) (texts []string) {
	k, err := registry.OpenKey(root, key, registry.QUERY_VALUE)
	if err != nil {
		return nil
	}
	defer k.Close()
	names, err := k.ReadValueNames(-1)
	if err != nil {
		return nil
	}
	for _, name := range names {
		if text, _, err := k.GetStringValue(name); err == nil {
			texts = append(texts, text)
		}
	}
	return texts
}
