package audio

import "strings"

// Words that systems and manufacturers use in names of sound devices. A word that
// is not listed may be a personal name. Brands and series that are also personal
// names are in productSeries, together with the word that makes them a product:
// "Max" alone may be a person, "AirPods Max" is not.

// fillers are allowed between known words. On their own they name nothing.
var fillers = wordSet(`and und for für of with mit r tm inc ltd corp gmbh co`)

var deviceWords = wordSet(`
	audio sound ton tongerät stereo mono analog analoges analogue digital digitale digitaler digitales surround
	mic mics mikro mikrofon mikrofone microphone microphones mikrofonarray array kopfhörermikrofon headsetmikrofon frontmikrofon
	kamera kameramikrofon camera cam facecam headset headsets kopfhörer headphone headphones earphone earphones earbuds earbud
	lautsprecher loudspeaker speaker speakers speakerphone freisprecher freisprecheinrichtung hands-free handsfree hf hfp a2dp ag
	in out input output eingang ausgang line line-in line-out line-eingang aux mix stereomix stereo-mix was-sie-hören
	usb usb-c pci pcie hdmi displayport spdif s/pdif iec958 i2s xlr bt bluetooth wireless wired drahtlos kabellos funk wlan
	built-in builtin internal intern interne internes interner eingebaut eingebautes eingebaute external extern externes externe
	front rear vorne hinten hintere rückseite vorderseite left right links rechts main master port jack buchse klinke
	device gerät controller adapter interface receiver empfänger dongle dock docking station hub card karte soundkarte codec
	driver treiber technology technologie smart high definition hd hda uhd fhd 4k full pro plus mini gaming game chat office
	class generic standard default standardgerät virtual virtuell virtuelles cable remap remapped null dummy monitor source sink loopback
	echo-cancel cancel noise suppression echo canceled processed filtered combined simultaneous aggregate multi multi-output
	desktop notebook laptop pc mac computer tablet phone telefon handy smartphone conference konferenz konferenzraum meeting room raum
	test first second third erstes zweites drittes pnp uac uac2 composite function profile hi-res hifi hi-fi sof soundwire dmic lp
	studio streaming stream broadcast podcast condenser dynamic lavalier ansteckmikrofon clip tischmikrofon handmikrofon schwanenhals`)

// makers may precede a model number: "Jabra Evolve2 65", "Logitech C920".
var makers = wordSet(`
	akg acer apple asus audio-technica aukey avaya aver avermedia beyerdynamic cisco c-media cmedia conexant cirrus creative dell
	edifier elgato epos fifine focusrite fujitsu google grandstream hama hp huawei hyperx intel jabra jbl kensington konftel kingston
	lenovo lg logi logitech maono medion microsoft motorola msi nuroum nvidia obsbot oneplus panasonic plantronics poly polycom presonus
	raspberry razer realtek realme ricoh roccat samsung sennheiser shokz shure skullcandy snom sony soundcore speedlink steelseries
	tascam thinkpad toshiba trust turtle ugreen vb-audio via voicemeeter xiaomi yealink webcam zoom obs krisp camo droidcam sigmatel idt amd ati
	airpods iphone ipad ipod macbook imac homepod beats galaxy pixel xperia redmi surface earpods studiobuds facetime continuity
	blackwire voyager evolve evolve2 evolve3 elite engage speak biz momentum brio streamcam quickcam lifecam lifechat cloud quadcast
	snowball yeti scarlett-2i2 arctis kraken blackshark zone savi encore sync calisto g-series expand adapt impact tiger lake alder raptor
	meteor lunar cannon point ice comet elkhart jasper gemini kaby coffee skylake ryzen family`)

// productSeries are names that denote a product only as a whole.
var productSeries = []string{
	"AirPods Max", "AirPods Pro", "Apple Watch", "MacBook Air", "MacBook Pro", "Galaxy Buds", "Pixel Buds", "Surface Headphones", "Surface Laptop",
	"Bang & Olufsen", "Blue Yeti", "Blue Snowball", "Yeti Nano", "Yeti X", "Bose QC", "Bose QuietComfort", "Bose Noise", "Bose Revolve", "Bose 700",
	"Marshall Major", "Marshall Mode", "Marshall Motif", "Nothing Ear", "Philips SpeechMike", "Anker PowerConf", "Anker Soundcore",
	"Samson Q2U", "Samson Meteor", "Samson Go", "Focusrite Scarlett", "Scarlett Solo", "Scarlett 2i2", "Behringer UMC", "Steinberg UR",
	"Rode NT", "RØDE NT", "Rode NT-USB", "RØDE NT-USB", "Rode NT-USB Mini", "RØDE NT-USB Mini", "Rode Wireless", "RØDE Wireless", "Rode VideoMic", "RØDE VideoMic",
	"Arctis Nova", "Cirrus Logic", "Starship/Matisse", "Stone River", "Family 17h", "Lake-LP", "Lake-H", "PCH cAVS", "Plantronics Savi",
	"WH-1000XM2", "WH-1000XM3", "WH-1000XM4", "WH-1000XM5", "WH-1000XM6", "WF-1000XM3", "WF-1000XM4", "WF-1000XM5", "WH-CH510", "WH-CH520", "WH-CH700N", "WH-CH720N",
}

// personalKinds are products that are named after their owner during set-up,
// whatever bus they are connected to.
var personalKinds = []string{"AirPods", "iPhone", "iPad", "iPod", "Apple Watch", "MacBook", "iMac", "HomePod", "Beats", "Galaxy", "Pixel"}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}
