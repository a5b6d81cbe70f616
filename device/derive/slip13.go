package derive

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// SLIP-0013 makes a key from what a person remembers:
//
//	uri   = scheme://[user@]host[:port]
//	hash  = SHA-256( index, 4 bytes little endian ‖ uri )
//	A…D   = the first 16 bytes of hash as four little-endian numbers, each with the hardened bit
//	path  = m/13'/A/B/C/D, by SLIP-0010 on either curve

// maxUser bounds a user name in bytes; WebAuthn user names have no limit, people's memory has.
const maxUser = 256

// Name is the identity that a SLIP-0013 key belongs to.
type Name struct {
	Scheme string // https, or ssh and the like for tools
	User   string // may be empty
	Host   string // lower case, with :port unless it is the scheme's own
	Index  uint32 // counts the keys for the same site and user, from 0
}

// ParseName reads scheme://[user@]host[:port] in its one canonical form. It refuses every other way of
// writing the same, because each would silently be another key.
func ParseName(uri string) (Name, error) {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found {
		return Name{}, fmt.Errorf("%q is not of the form https://user@host", uri)
	}
	n := Name{Scheme: scheme, Host: rest}
	// Neither a host nor a port has an @, a user name may.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		n.User, n.Host = rest[:at], rest[at+1:]
		if n.User == "" {
			return Name{}, fmt.Errorf("%q has an empty user name before the @; leave the @ out", uri)
		}
	}
	return n, n.Check()
}

// Check says what is not canonical. The zero [Name] is not.
func (n Name) Check() error {
	if err := checkScheme(n.Scheme); err != nil {
		return err
	}
	if err := checkUser(n.User); err != nil {
		return err
	}
	return checkHost(n.Scheme, n.Host)
}

// URI returns the text that is hashed.
func (n Name) URI() string {
	if n.User == "" {
		return n.Scheme + "://" + n.Host
	}
	return n.Scheme + "://" + n.User + "@" + n.Host
}

// RelyingParty returns the host without its port.
func (n Name) RelyingParty() string {
	if address, _, found := strings.Cut(n.Host, "]"); found {
		return address[1:]
	}
	host, _, _ := strings.Cut(n.Host, ":")
	return host
}

// Origin returns scheme://host[:port].
func (n Name) Origin() string { return n.Scheme + "://" + n.Host }

// path returns the path of the key and does not check the name, which has a public vector with a path
// behind the host.
func namePath(uri string, index uint32) []uint32 {
	hash := sha256.Sum256(append(binary.LittleEndian.AppendUint32(nil, index), uri...))
	path := []uint32{13 | Hardened}
	for i := range 4 {
		path = append(path, binary.LittleEndian.Uint32(hash[4*i:])|Hardened)
	}
	return path
}

// P256 returns the P-256 key of the name below the seed.
func (n Name) P256(seed []byte) (*ecdsa.PrivateKey, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	return P256(seed, namePath(n.URI(), n.Index)...)
}

// Ed25519 returns the Ed25519 key of the name below the seed.
func (n Name) Ed25519(seed []byte) (ed25519.PrivateKey, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	return Ed25519(seed, namePath(n.URI(), n.Index)...)
}

func checkScheme(scheme string) error {
	if scheme == "" {
		return errors.New("a name needs a scheme, such as https")
	}
	for i, c := range scheme {
		if letter := c >= 'a' && c <= 'z'; !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return fmt.Errorf("scheme %q is not in lower-case letters", scheme)
		}
	}
	return nil
}

func checkUser(user string) error {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case len(user) > maxUser:
		return fmt.Errorf("a user name has at most %d bytes, this one has %d", maxUser, len(user))
	case !utf8.ValidString(user), strings.ContainsFunc(user, odd):
		return fmt.Errorf("user name %q has characters that cannot be printed", user)
	case strings.TrimSpace(user) != user:
		return fmt.Errorf("user name %q begins or ends with a space", user)
	case !norm.NFC.IsNormalString(user):
		return fmt.Errorf("user name %q is not in Unicode normal form C; type it again without combining marks", user)
	}
	return nil
}

// defaultPorts are left out of an origin (URL Standard, section 4.2); ssh has one, too.
var defaultPorts = map[string]string{"http": "80", "https": "443", "ssh": "22"}

func checkHost(scheme, text string) error {
	host, port, hasPort := strings.Cut(text, ":")
	if strings.HasPrefix(text, "[") {
		return checkIPv6(text)
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil || n == 0 || port[0] == '0':
			return fmt.Errorf("port %q of %q is not a number from 1 to 65535 without zeros in front", port, text)
		case port == defaultPorts[scheme]:
			return fmt.Errorf("port %s is the one of %s; leave it out", port, scheme)
		}
	}
	switch {
	case host == "":
		return errors.New("a name needs a host, such as id.example")
	case len(host) > 253:
		return fmt.Errorf("host of %d bytes, the limit is 253", len(host))
	case host != strings.ToLower(host):
		return fmt.Errorf("host %q is not in lower case", host)
	case strings.HasSuffix(host, "."):
		return fmt.Errorf("host %q ends with a dot", host)
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return fmt.Errorf("host %q has a label of %d letters, they have 1 to 63", host, len(label))
		}
		for _, c := range label {
			switch {
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			case c > 127:
				return fmt.Errorf("host %q is not ASCII; write it with xn-- as the browser does", host)
			default:
				return fmt.Errorf("host %q has the character %q; a path, a query and a fragment are left out", host, c)
			}
		}
	}
	return nil
}

func checkIPv6(text string) error {
	host := text
	if !strings.HasSuffix(text, "]") {
		h, _, err := net.SplitHostPort(text)
		if err != nil {
			return fmt.Errorf("host %q is not an address in brackets", text)
		}
		host = "[" + h + "]"
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || "["+addr.String()+"]" != host {
		return fmt.Errorf("host %q is not an address in its shortest form", text)
	}
	return nil
}
