// Package magiclinktest lets an application test its sign-in without a mail server and without a browser.
//
//	inbox := magiclinktest.NewInbox()                         // a signin.Mailer
//	app := newApp(inbox)                                      // the application's http.Handler
//	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
//	person.Open("https://app.example.com/sign-in").Submit("email", "jane@example.com")
//	mail := inbox.Wait(t, "jane@example.com")
//	page := person.Open(mail.Link).Submit()                   // presses "Sign in"
//	require.Equal(t, "/", page.URL.Path)                      // and is signed in
//
// A [Browser] keeps cookies, follows redirections, and sends forms with the headers that real browsers send, among them
// Origin and Sec-Fetch-Site. It runs no scripts and shows nothing: it is for the application's own logic, and takes no place of a test in
// a real browser. Two browsers are two devices. [Browser.Scan] behaves like the link scanner of a mail gateway.
//
// [Clock] and [Store] stand in for time and for outages. Everything here is for tests alone.
package magiclinktest
