package dbtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// CA is a certification authority that only the test knows.
type CA struct {
	File string // its certificate
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Certificate is the files of a certificate and its key, in PEM.
type Certificate struct{ Cert, Key string }

// NewCA makes an authority.
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca := &CA{dir: directory(t)}
	template := template("test authority", time.Hour)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	ca.cert = template
	made := ca.issue(t, template)
	ca.File = made.Cert
	return ca
}

// Issue makes a certificate for a host, or an address, that is good for so long from now on. A negative life makes an expired one.
func (ca *CA) Issue(t testing.TB, host string, life time.Duration) Certificate {
	t.Helper()
	template := template(host, life)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	return ca.issue(t, template)
}

func template(name string, life time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(life), KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// issue signs the template with the key of the authority. The first one that it signs is its own.
func (ca *CA) issue(t testing.TB, template *x509.Certificate) Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if ca.key == nil {
		ca.key = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(ca.dir, template.SerialNumber.String())
	made := Certificate{base + ".pem", base + ".key"}
	writeFile(t, made.Cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, made.Key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	return made
}

// StartRedisTLS starts a Redis server that speaks TLS on the port that it returns, beside its own port without TLS. Clients is whether it
// wants a certificate of the authority from its clients.
func StartRedisTLS(t testing.TB, ca *CA, own Certificate, clients bool) (server *Redis, port int) {
	t.Helper()
	port = freePort(t)
	wanted := "no"
	if clients {
		wanted = "yes"
	}
	return StartRedis(t, "tls-port "+strconv.Itoa(port), "tls-cert-file "+own.Cert, "tls-key-file "+own.Key, "tls-ca-cert-file "+ca.File,
		"tls-auth-clients "+wanted), port
}

// StartPostgresTLS starts a PostgreSQL server that takes connections with and without TLS. Clients is whether it wants TLS, and a certificate
// of the authority from its clients.
func StartPostgresTLS(t testing.TB, ca *CA, own Certificate, clients bool) *Postgres {
	t.Helper()
	s := StartPostgres(t, "fsync=off", "ssl=on", "ssl_cert_file="+own.Cert, "ssl_key_file="+own.Key, "ssl_ca_file="+ca.File)
	if !clients {
		return s
	}
	writeFile(t, filepath.Join(s.data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n")
	run(t, s.dir, "pg_ctl", "reload", "-D", s.data)
	for deadline := time.Now().Add(patience); connect(s.URL()) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server still takes connections without TLS")
		}
	}
	return s
}
