// Package signin leads a person from an e-mail address to a session: the request page, the mail with a link and a code, the waiting page, and
// the limits around them. It needs net/http alone.
//
//	flow, err := signin.New(signin.Config{Config: config, Mailer: mailer, Resolve: resolve, App: "Acme"})
//	service, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: config, SignIn: flow})
//	err = http.ListenAndServe("127.0.0.1:8080", service)
//	err = flow.Close(ctx) // waits for the mails under way
//
// # The story
//
// A person opens /sign-in and enters an address. The answer is always the same: a cookie, and a redirection to a page that says "Check your mail".
// Outside of the request the [Flow] counts the mail, asks [Config.Resolve] who the person is, issues the link, and hands the mail to the
// [Mailer]. The person opens the link in the same browser and presses a button, or types the code from the mail into the page that waits.
//
// Often the mail is read elsewhere: on a phone, in an app with a browser of its own, or by a scanner that opens links and presses buttons. There
// the page says that another browser has asked, and in [ModePrefer] signs in whoever also types the code. A scanner types no code, so the
// link is still there when the person comes.
//
// A new session starts as on the redemption page: Admit can refuse before the link is used, OnRedeem runs after it, the session that the browser had
// ends, and the browser goes where the person wanted to go: a local path in the parameter "next".
//
// # How it holds
//
// The cookie is a secret that only the browser has. It determines the id of the link, so no table is needed. The record of the link has the
// digest of the secret and a slow digest of the code: a copy of the store redeems nothing. A code that is typed on the waiting page works
// in the browser that has asked alone.
//
// A code has five tries in the browser that has asked, and five more beside the link, counted in the store before the code is judged. Then it has
// ended there. So a stranger who asks for somebody's address and types wrong codes does not keep out the person who has the mail. The link goes on in
// the browser that has asked.
//
// Whether an address is known, unknown, malformed or limited, whether the application refuses it, and whether the mail can be sent: status,
// headers, body and time of every answer are the same. Only the person who reads the mailbox learns more.
//
// [Limits] bound the mails to an address, the requests of a client, the mails of a tenant and the tries of codes. They are counted in the
// store, so all replicas share them.
//
// # Mails
//
// The queue is bounded, and no request waits for a mail server. A mail is tried again a few times while its link lives. When it fails for
// good, its link is revoked and an event tells: see OpMail. The module github.com/magiclink-go/magiclink/mail is a Mailer for SMTP.
// [Flow.Invite] mails a link that nobody has asked for.
//
// # What a session proves
//
// [magiclink.Redemption.Delivered] is DeliveredByMail for a link that the Flow has mailed: whoever signs in by it reads that mailbox. A
// link that the application has issued and handed over in another way proves nothing about a mailbox. See [Config.Resolve] for what that means for accounts
// that are made at the first sign-in.
package signin
