// Package e2e holds tests of the finished product: the command as a process, with a real database, and browsers in front of
// it. They answer what only a browser can say: whether a cookie is kept, which Origin a form is posted with, where a
// redirection leads, and what Back shows.
//
// A journey is what a person does; each runs in Chromium, Firefox and WebKitGTK (see internal/browser). Tests that look
// at single requests, at the console or at the accessibility tree run in Chromium alone, by its DevTools protocol.
//
// install.sh installs the browsers on Debian. A missing browser skips its tests, and fails them where CI=true. With
// MAGICLINK_SCREENSHOTS=DIRECTORY the tests take pictures of all pages. The go command does not know that the tests depend
// on the command magiclink: run them with -count=1, as "make test" does in its own way.
package e2e
