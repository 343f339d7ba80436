package browser

import "encoding/json"

// View lets Chromium show pages as on a screen of this size, in pixels. A phone has no mouse, and a page may say how wide it is.
func (b *Browser) View(width, height int, phone bool) {
	b.tb.Helper()
	b.devTools(nil, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone,
	})
}

// Picture returns a picture of the page in Chromium, as PNG: on a screen that is as high as the page, up to a height in pixels.
func (b *Browser) Picture(width, maxHeight int, phone bool) []byte {
	b.tb.Helper()
	b.View(width, 1, phone)
	var height int
	b.Script(&height, "return document.documentElement.scrollHeight")
	b.View(width, min(height, maxHeight), phone)
	return b.Screenshot()
}

// devTools sends a command of the DevTools protocol.
func (b *Browser) devTools(result any, command string, parameters map[string]any) {
	b.tb.Helper()
	var answer json.RawMessage
	b.ask(&answer, "ExecuteCDP", map[string]any{"cmd": command, "params": parameters})
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer, result); err != nil {
		b.tb.Fatalf("%s: %s: %v", b.Engine, command, err)
	}
}
