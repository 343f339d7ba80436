package mail

import "context"

// Ping connects to the mail server and logs in, as Send does, but sends nothing. It tells a wrong host, certificate or password before the
// first mail does. The connection is kept for the next mail. Errors are as those of [Mailer.Send], and Config.Timeout bounds a Ping, too.
func (m *Mailer) Ping(ctx context.Context) error {
	if !m.ready() {
		return errNoMailer
	}
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if m.isClosed() {
		return errClosed
	}
	conn, err := m.server.dial(ctx, m.helloName)
	if err != nil {
		return err
	}
	m.put(conn)
	return nil
}

func (m *Mailer) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}
