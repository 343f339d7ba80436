// Package mail writes the mails of a sign-in by e-mail and sends them over SMTP. A [Mailer] is the [signin.Mailer] for production, a [Directory]
// the one for development: it writes the same mails into files.
//
//	mailer, err := mail.New(mail.Config{
//		URL:      "smtp://app@smtp.example.com:587",
//		Password: os.Getenv("SMTP_PASSWORD"),
//		From:     "Acme <login@acme.example>",
//	})
//
// # What a mail holds
//
// A mail has a text part and an HTML part, which say the same: who asked (browser, system and time in UTC; no place is guessed), the link, the
// code where there is one, until when both work, and that a mail which nobody asked for can be ignored. In the text part the link and the code
// stand alone on their lines. In the HTML part the link is a button and a text. The HTML part has no images, no scripts and nothing that
// loads from elsewhere, follows the reader's choice of light or dark, and is written from right to left for Arabic. The subject holds neither
// link nor code. With the built-in templates a mail is smaller than 20 KB.
//
// The header names the mail as one that a program has written (Auto-Submitted, RFC 3834), and its language. The Message-ID depends on the
// message alone: a mail that is sent twice can be recognized.
//
// The languages are English, German, French, Spanish, Portuguese, Polish, Turkish, Arabic, Hindi, Japanese and Chinese (en de fr es pt pl tr ar hi
// ja zh). A message in another language is written in English.
//
// # Text from outside
//
// A message that could break a mail is refused with an error that matches [signin.ErrPermanent]: an address that [magiclink.ValidEmail]
// refuses, a link that is no URL, a code of another form. Names (App, InvitedBy, Browser, System) are kept in their line: line breaks,
// controls, invisible characters and those that change the direction of writing are left out, and long names are cut. A stranger can choose
// what InvitedBy, Browser and System say, so mail programs find no link in them: "www.example.com" is written "www. example. com".
// A plain address stays as it is.
//
// # Sending
//
// Connections are encrypted, and the certificate of the server is checked; [Config] has the exceptions. A few connections are kept for the next
// mails. When the server has closed such a connection, a new one replaces it, once, and the caller does not notice. Otherwise a
// Mailer tries nothing twice: [Mailer.Send] says which errors are worth another attempt, and package signin makes it.
//
// # Templates of your own
//
// Config.Templates is a file system, for example os.DirFS("mail-templates"), whose files replace those of [BuiltIn] one by one:
//
//   - mail.txt is the text part, a template of text/template. mail.html is the HTML part, a template of html/template. Both are executed
//     with a [Content], for every language and kind of message.
//   - words/de.json holds the German texts, and so on: a JSON object with the keys of words/en.json. A file needs the texts that it changes
//     alone. Texts have the placeholders {app}, {by}, {browser}, {system}, {asked} and {expires}; subjects have {app} alone. What fills a
//     placeholder stands between U+2068 and U+2069, which nobody sees, where it may be written in another direction than the text. The text of
//     the key "time" is a layout of [time.Time.Format] in UTC.
//   - words/nl.json, or a file with another primary subtag of a language (RFC 5646), adds a language. What the file lacks is English.
//
// Every template is executed for every language and kind of message when it is loaded. A template that fails, that leaves out the link or
// the code, a key or a placeholder that does not exist: all of that is a fault of the configuration. [Templates.Render] with [Sample] shows
// what a mail looks like.
package mail
