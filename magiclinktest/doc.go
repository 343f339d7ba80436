// Package magiclinktest lets an application test its sign-in without a mail server and without a browser.
//
// The inbox is the [signin.Mailer] of the application in its tests. A person then signs in by three lines:
//
//	inbox := magiclinktest.NewInbox()
//	app := newApp(inbox) // the application's http.Handler
//
//	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
//	page := person.SignIn(inbox, "https://app.example.com/reports", "jane@example.com")
//	require.Equal(t, "/reports", page.URL.Path)
//
// [Browser.SignIn] does step by step what a person does, and a test can do the steps itself:
//
//	person.Open("https://app.example.com/sign-in").Submit("email", "jane@example.com")
//	mail := inbox.Wait(t, "jane@example.com")
//	page := person.Open(mail.Link).Submit() // presses the button
//
//	phone := magiclinktest.NewPhone(t, magiclinktest.Handler(app))
//	page := phone.Open(mail.Link).Submit("code", mail.Code) // another device needs the code
//
// A [Browser] keeps cookies, follows redirections, and sends forms with the headers that real browsers send, among them
// Origin and Sec-Fetch-Site. It runs no scripts and shows nothing: it is for the application's own logic, and takes no place of a test in
// a real browser. Two browsers are two devices. [Browser.Scan] behaves like the link scanner of a mail gateway.
//
// Open pages at the scheme and host of the BaseURL, also where the handler itself asks for no host: the library refuses forms that come from
// elsewhere. When a form is answered by 403, the log of the test says what to look at.
//
// [Clock] and [Store] stand in for time and for outages: give Clock.Now and the Store to the magiclink.Config of the application. The limits
// of package signin count in tests, too: a second mail to one address comes only after a pause, so move the clock on.
//
// Everything here is for tests alone.
package magiclinktest
