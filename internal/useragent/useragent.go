// Package useragent names the browser and the system of a request, in words of its own. Nothing of a header ever becomes part of a name, and no
// name has a version: a User-Agent may hold anything, and a whole one tells more about a person than is needed.
package useragent

import (
	"net/http"
	"strings"
)

// A User-Agent names many browsers beside its own: the first name of these lists that it holds is the one. Applications that show pages
// inside themselves come first, since they add their name to that of the browser that they are made of.
var (
	browsers = [][2]string{
		{"Instagram", "Instagram"},
		{"FBAN/", "Facebook"},
		{"FBAV/", "Facebook"},
		{"MicroMessenger/", "WeChat"},
		{" Line/", "LINE"},
		{"GSA/", "Google app"}, // the search application on an iPhone
		{"Edg/", "Edge"},
		{"EdgA/", "Edge"},
		{"EdgiOS/", "Edge"},
		{"OPR/", "Opera"},
		{"OPT/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"DuckDuckGo/", "DuckDuckGo"},
		{"Ddg/", "DuckDuckGo"},
		{"Vivaldi/", "Vivaldi"},
		{"YaBrowser/", "Yandex Browser"},
		{"UCBrowser/", "UC Browser"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Firefox/", "Firefox"},
		{"Chromium/", "Chromium"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	}

	// brands are browsers that call themselves Chrome in the User-Agent and say who they are in Sec-CH-UA alone.
	brands = [][2]string{
		{`"Brave"`, "Brave"},
		{`"Vivaldi"`, "Vivaldi"},
		{`"DuckDuckGo"`, "DuckDuckGo"},
	}

	// An iPad asks for pages as a Mac does, and only a browser of another maker tells them apart: its versions for iOS have names of their own.
	// Safari on an iPad is therefore shown as Safari on macOS.
	systems = [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"CrOS", "ChromeOS"},
		{"CriOS/", "iPad"},
		{"FxiOS/", "iPad"},
		{"EdgiOS/", "iPad"},
		{"Macintosh", "macOS"},
		{"FreeBSD", "FreeBSD"},
		{"OpenBSD", "OpenBSD"},
		{"Linux", "Linux"},
	}
)

// longest is how many bytes of a header are looked at.
const longest = 1024

// Of names the browser and the system of a request, each "" where it is not known. They are what the client says of itself.
func Of(header http.Header) (browser, system string) {
	agent := cut(header.Get("User-Agent"))
	browser = firstIn(agent, browsers)
	if browser == "Chrome" {
		if brand := firstIn(cut(header.Get("Sec-CH-UA")), brands); brand != "" {
			browser = brand
		}
	}
	return browser, firstIn(agent, systems)
}

// between is what stands between the browser and the system in the name of a device.
const between = " on "

// Device is the short name of the device of a request: "Firefox on Windows", or what is known of it, or "".
func Device(header http.Header) string {
	browser, system := Of(header)
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + between + system
}

// Split undoes Device for a name that has both parts, so that it can be written in another language.
func Split(device string) (browser, system string, ok bool) {
	return strings.Cut(device, between)
}

func cut(text string) string { return text[:min(len(text), longest)] }

func firstIn(text string, names [][2]string) string {
	for _, name := range names {
		if strings.Contains(text, name[0]) {
			return name[1]
		}
	}
	return ""
}
