// Package httpadapter puts magic links on the web with net/http alone.
//
// [NewService] makes one handler for all routes from one [magiclink.Config] and the clients:
//
//	service, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: config, Clients: clients, App: "Acme"})
//	err = http.ListenAndServe("127.0.0.1:8080", service)
//
// # Parts
//
// Each handler can also be made by itself: [IssueHandler] issues links for authenticated programs, [TokenHandler] gives them
// access tokens, [Page] is where links lead, [RedeemHandler] redeems links for back ends and single-page apps,
// [SessionHandler] shows the current session, and [LogoutHandler] ends it. [SessionsPage] shows people all their sessions and ends
// them. [LinksHandler] and [SessionsHandler] show programs what was issued, and end it; [LimitsHandler] shows and resets limits. The
// constructors report every fault of a configuration at once. An [Authenticator] says who calls: [BearerAuthenticator] takes the
// access tokens of TokenHandler, and an application with an authority of its own implements the one method itself.
//
// Each handler answers at whatever path it is mounted, on any router and behind any prefix; LinksHandler, SessionsHandler and
// LimitsHandler, which have several routes, are told their path. [IssuePath], [TokenPath] and the others are the paths of the published document,
// which [OpenAPIHandler] serves.
//
// # Scopes
//
// Issuing takes the scope [ScopeCreate], seeing links, sessions and limits [ScopeRead], and ending or resetting them [ScopeRevoke]. A client has
// those of its [Client.Scopes] alone, and none includes another. With a business id a client or its token is confined to that
// business: everything else looks to it as if it were not there.
//
// The events of the core name who has asked: see [magiclink.WithActor]. The actor is "client:" and the client id for the
// routes of programs, and "session:" and the session id where a session ends itself or is found by [RequireSession].
//
// [RequireSession] guards the application's own handlers, and [SessionFromRequest] says who is signed in.
//
// # Answers
//
// Answers are JSON with Cache-Control: no-store. An error is {"error": "what is wrong", "data": …}; at the token endpoint
// "error" is the code of RFC 6749 section 5.2 with "error_description" beside it. In a 422 of the other routes, data is
// {"fields": [{"field": "ttl", "rule": "max", "message": "must be at most 15"}]} with every broken field; the list is empty
// where the request could not be read. The rules are those of [magiclink.FieldError], and for the parameters of a list also "once",
// "oneof" and "cursor". A failure of the store, a directory or a key is a 503 with Retry-After. The cause of a
// 503 is logged and never sent.
//
// # Timeouts
//
// Timeout is the time after which the context ends that the store, the directories, an Authenticator and the hooks of a
// configuration get. The time begins when the body has been read. An Authenticator has as much time before that, and what the
// page does after a redemption has as much time again. Code that minds its context returns when the time is over, and the
// answer is 503. Code that ignores its context delays its own request until it returns, and no other request. So set the
// timeouts of your drivers and clients, too. No handler answers while such code still runs, because it would pile up in an
// outage. A negative Timeout or MaxBody is a fault of the configuration.
//
// # Slow clients
//
// TokenHandler, RedeemHandler, Page and SessionsPage read a body before they know who sends it. They give it five seconds to arrive, and then
// answer with an error and let net/http close the connection. They set the read deadline of the connection for that, unless
// the ReadTimeout of the server is shorter. Give a server its own timeouts all the same: ReadHeaderTimeout and IdleTimeout
// bound what no handler sees, and ReadTimeout the body of a caller who is authenticated.
//
// A middleware whose ResponseWriter has no method Unwrap hides the connection, and so does [http.TimeoutHandler]. Handlers work behind it,
// and cannot set that deadline: then ReadTimeout alone bounds each body.
//
// # Other handlers around
//
// Handlers also work behind a middleware that has parsed the form of a request, that compresses answers, or that recovers panics. A
// panic in a hook of a configuration, such as [PageConfig.OnRedeem], is contained and answered with 503. A handler of JSON needs the body: a
// middleware that has read it puts it back.
package httpadapter
