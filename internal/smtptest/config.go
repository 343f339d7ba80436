package smtptest

import (
	"fmt"
	"strings"
)

// mainConfig is the file main.cf. Mails for all domains are delivered to one Maildir.
func (s *Server) mainConfig(more []string) string {
	uid, gid := idsOf(mailbox)
	lines := []string{
		"compatibility_level = 3.6",
		"queue_directory = " + s.path("queue"),
		"data_directory = " + s.path("data"),
		"daemon_directory = /usr/lib/postfix/sbin",
		"command_directory = /usr/sbin",
		"maillog_file = /dev/stdout",
		"inet_interfaces = 127.0.0.1",
		"inet_protocols = ipv4",
		"myhostname = mx.example.test",
		"mydestination =",
		"mynetworks =",
		"alias_maps =",
		"smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination",
		"virtual_mailbox_domains = static:all",
		"virtual_mailbox_base = " + s.dir,
		"virtual_mailbox_maps = static:Maildir/",
		fmt.Sprintf("virtual_uid_maps = static:%d", uid),
		fmt.Sprintf("virtual_gid_maps = static:%d", gid),
		"smtpd_tls_security_level = may",
		"smtpd_tls_chain_files = " + s.path("etc/key.pem") + ", " + s.path("etc/cert.pem"),
		"smtpd_tls_auth_only = yes",
		"anvil_rate_time_unit = 60s",
	}
	return strings.Join(append(lines, more...), "\n") + "\n"
}

// masterConfig is the file master.cf: nothing runs in a chroot.
func (s *Server) masterConfig() string {
	return strings.Join([]string{
		s.Address() + " inet n - n - - smtpd",
		s.TLSAddress() + " inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",
		"cleanup unix n - n - 0 cleanup",
		"qmgr unix n - n 300 1 qmgr",
		"tlsmgr unix - - n 1000? 1 tlsmgr",
		"rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce",
		"defer unix - - n - 0 bounce",
		"trace unix - - n - 0 bounce",
		"proxymap unix - - n - - proxymap",
		"error unix - - n - - error",
		"retry unix - - n - - error",
		"discard unix - - n - - discard",
		"virtual unix - n n - - virtual",
		"anvil unix - - n - 1 anvil",
		"postlog unix-dgram n - n - 1 postlogd",
	}, "\n") + "\n"
}

// saslConfig is the file smtpd.conf of the SASL library, which Debian's Postfix looks for in the directory sasl: passwords are looked up in a file.
func (s *Server) saslConfig() string {
	return strings.Join([]string{
		"pwcheck_method: auxprop",
		"auxprop_plugin: sasldb",
		"sasldb_path: " + s.path("etc/sasldb2"),
		"mech_list: PLAIN LOGIN",
	}, "\n") + "\n"
}
