package useragent_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/useragent"
)

const (
	windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	mac     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	iPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
	view    = "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36"
)

// Each is what a browser of the last years sends.
func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Windows",
		"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0":             "Firefox on Android",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":           "Firefox on Linux",
		windows:                    "Chrome on Windows",
		windows + " Edg/140.0.0.0": "Edge on Windows",
		windows + " OPR/121.0.0.0": "Opera on Windows",
		android:                    "Chrome on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                      "Chrome on ChromeOS",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		mac + "Version/18.6 Safari/605.1.15":                     "Safari on macOS", // an iPad, too
		mac + "CriOS/140.0.7339.39 Version/18.6 Safari/605.1.15": "Chrome on iPad",
		"Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1": "Safari on iPad",
		iPhone + "Version/18.6 Mobile/15E148 Safari/604.1":                          "Safari on iPhone",
		iPhone + "CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1":                   "Chrome on iPhone",
		iPhone + "FxiOS/140.0 Mobile/15E148 Safari/605.1.15":                        "Firefox on iPhone",
		iPhone + "GSA/380.0.0 Mobile/15E148 Safari/604.1":                           "Google app on iPhone",
		iPhone + "Mobile/15E148 Instagram 390.0.0.28.85 (iPhone16,1; iOS 18_6; en)": "Instagram on iPhone",
		iPhone + "Mobile/15E148 [FBAN/FBIOS;FBAV/520.0.0.38.101;FBDV/iPhone16,1]":   "Facebook on iPhone",
		iPhone + "Mobile/15E148":                                                    "iPhone", // a view inside of another application
		view + " Instagram 390.0.0.28.85 Android (35/15; 420dpi; Google; Pixel 9)":  "Instagram on Android",
		view + " [FB_IAB/FB4A;FBAV/520.0.0.38.101;]":                                "Facebook on Android",
		view:                                 "Chrome on Android",
		"Go-http-client/1.1":                 "",
		"curl/8.9":                           "",
		"":                                   "",
		"Firefox/1":                          "Firefox",
		"\xff\x00<b>\u202eevil":              "",
		strings.Repeat("x", 1<<20) + windows: "",
	} {
		require.Equal(t, want, useragent.Device(http.Header{"User-Agent": {agent}}), agent[:min(len(agent), 200)])
	}
}

// Some browsers say who they are in another header alone.
func TestDeviceOfBrands(t *testing.T) {
	for hint, want := range map[string]string{
		`"Brave";v="140", "Not=A?Brand";v="8", "Chromium";v="140"`:         "Brave on Windows",
		`"Google Chrome";v="140", "Not=A?Brand";v="8", "Chromium";v="140"`: "Chrome on Windows",
		`Brave`:                               "Chrome on Windows",
		"":                                    "Chrome on Windows",
		strings.Repeat(" ", 2000) + `"Brave"`: "Chrome on Windows",
	} {
		require.Equal(t, want, useragent.Device(http.Header{"User-Agent": {windows}, "Sec-Ch-Ua": {hint}}))
	}
	require.Empty(t, useragent.Device(http.Header{"User-Agent": {"curl"}, "Sec-Ch-Ua": {`"Brave"`}}))
}

func TestSplit(t *testing.T) {
	browser, system, ok := useragent.Split("Samsung Internet on Android")
	require.True(t, ok)
	require.Equal(t, [2]string{"Samsung Internet", "Android"}, [2]string{browser, system})
	_, _, ok = useragent.Split("iPhone")
	require.False(t, ok)
}

// Whatever the headers hold, a name is made of known words: short, and without version, control character or mark-up.
func FuzzDevice(f *testing.F) {
	for _, agent := range []string{windows, iPhone, android, view, "\u202e", "<img src=x>", " on "} {
		f.Add(agent, `"Brave"`)
	}
	known := map[string]bool{"": true}
	for _, names := range useragent.Names() {
		for _, name := range names {
			known[name[1]] = true
		}
	}
	f.Fuzz(func(t *testing.T, agent, hint string) {
		header := http.Header{"User-Agent": {agent}, "Sec-Ch-Ua": {hint}}
		browser, system := useragent.Of(header)
		require.True(t, known[browser] && known[system], "%q %q", browser, system)
		device := useragent.Device(header)
		require.LessOrEqual(t, len(device), 48)
		for _, r := range device {
			require.True(t, unicode.IsLetter(r) || r == ' ', device)
		}
	})
}
