package browser

import (
	"encoding/base64"
	"encoding/json"
)

// View lets Chromium show pages as on a screen of this size, in pixels. A phone has no mouse, and a page may say how wide it is.
func (b *Browser) View(width, height int, phone bool) {
	b.tb.Helper()
	b.devTools(nil, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone,
	})
}

// Picture returns a picture of the page in Chromium, as PNG: also of what is below the screen, up to a height in pixels.
func (b *Browser) Picture(maxHeight int) []byte {
	b.tb.Helper()
	var size struct{ Width, Height int }
	b.Script(&size, "return {width: innerWidth, height: Math.max(innerHeight, document.documentElement.scrollHeight)}")
	var picture struct{ Data string }
	b.devTools(&picture, "Page.captureScreenshot", map[string]any{
		"captureBeyondViewport": true,
		"clip":                  map[string]any{"x": 0, "y": 0, "width": size.Width, "height": min(size.Height, maxHeight), "scale": 1},
	})
	content, err := base64.StdEncoding.DecodeString(picture.Data)
	if err != nil {
		b.tb.Fatalf("%s: the picture: %v", b.Engine, err)
	}
	return content
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
