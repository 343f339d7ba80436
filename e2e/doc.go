// Package e2e holds tests of the finished product: the command as a process, with a real database, and browsers in front of
// it. They answer what only a browser can say: whether a cookie is kept, which Origin a form is posted with, where a
// redirection leads, and what Back shows.
//
// A journey is what a person does; each runs in Chromium, Firefox and WebKitGTK (see internal/browser). Tests that look
// at single requests, at the console or at the accessibility tree run in Chromium alone, by its DevTools protocol.
//
// The tests of a sign-in by mail use the packages signin and mail in the test process, on an SQLite file, and a real mail server
// (see internal/smtptest). One tour leads to every page: for axe-core, which looks for what keeps people out, and for pictures.
//
// install.sh installs the browsers on Debian, w3m and lynx, and axe-core. What is missing skips its tests, and fails them where CI=true. With
// MAGICLINK_SCREENSHOTS=DIRECTORY the tests take pictures of all pages in three browsers, and those of the guide. With
// MAGICLINK_TEST_SCREENS=DIRECTORY they take pictures of every page and mail in every language: see TestScreens. The go command does not know
// that the tests depend on the command magiclink: run them with -count=1, as "make test" does in its own way.
package e2e
