package magiclink

import "log/slog"

// LogValue implements [slog.LogValuer]: the link is a credential and stays out of logs.
func (r MagicLinkResponse) LogValue() slog.Value {
	return slog.GroupValue(slog.String("magic_link_id", r.MagicLinkID), slog.Time("expires_at", r.ExpiresAt))
}

// String names the link by its id, so that printing a response does not print a credential.
func (r MagicLinkResponse) String() string { return "magic link " + r.MagicLinkID }

// LogValue implements [slog.LogValuer]: the address stays out of logs.
func (in MagicLinkCreate) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("tenant_id", in.TenantID),
		slog.String("business_id", in.BusinessID),
		slog.String("external_business_id", in.ExternalBusinessID),
		slog.Int("ttl", in.TTL),
		slog.Int("session_timeout", in.SessionTimeout),
	)
}

// LogValue implements [slog.LogValuer]: the address stays out of logs.
func (r Redemption) LogValue() slog.Value {
	return slog.GroupValue(slog.String("magic_link_id", r.MagicLinkID), slog.String("tenant_id", r.TenantID))
}

// LogValue implements [slog.LogValuer]: the address stays out of logs.
func (s Session) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.ID), slog.String("magic_link_id", s.MagicLinkID), slog.String("tenant_id", s.TenantID))
}
