package origin

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// toASCII is "domain to ASCII" of the WHATWG URL Standard: UTS #46, not transitional, not strict.
var toASCII = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
	idna.CheckJoiners(true),
	idna.BidiRule(),
	idna.VerifyDNSLength(false),
)

// canonicalHost returns a host as browsers write it: a domain in ASCII and lower case, an IPv4 address as
// four numbers, an IPv6 address compressed and in brackets.
func canonicalHost(host string) (string, bool) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return canonicalIPv6(inner, ok)
	}
	if strings.Contains(host, "%") {
		return "", false // a browser would decode it; nobody writes a domain so
	}
	for label := range strings.SplitSeq(host, ".") {
		if strings.EqualFold(label, "xn--") {
			return "", false // Punycode of nothing, which the library takes
		}
	}
	domain, err := toASCII.ToASCII(host)
	if err != nil || domain == "" || strings.ContainsAny(domain, forbidden) {
		return "", false
	}
	if endsInNumber(domain) {
		return canonicalIPv4(domain)
	}
	return domain, true
}

// forbidden are the ASCII characters that a domain must not hold ("forbidden domain code points"); control
// characters and the blank are refused before.
const forbidden = ` #/:<>?@[\]^|%` + "\x7f"

func canonicalIPv6(inner string, closed bool) (string, bool) {
	address, err := netip.ParseAddr(inner)
	if !closed || err != nil || !address.Is6() || address.Zone() != "" {
		return "", false
	}
	if !address.Is4In6() {
		return "[" + address.String() + "]", true
	}
	// Browsers write such an address without dots.
	b := address.As16()
	high, low := binary.BigEndian.Uint16(b[12:]), binary.BigEndian.Uint16(b[14:])
	return "[::ffff:" + strconv.FormatUint(uint64(high), 16) + ":" + strconv.FormatUint(uint64(low), 16) + "]", true
}

// endsInNumber reports whether browsers take a domain for an IPv4 address: its last label is a number.
func endsInNumber(domain string) bool {
	labels := strings.Split(strings.TrimSuffix(domain, "."), ".")
	last := labels[len(labels)-1]
	if last != "" && strings.Trim(last, "0123456789") == "" {
		return true
	}
	_, ok := ipv4Number(last)
	return ok
}

// canonicalIPv4 reads one to four numbers, decimal, octal (0…) or hexadecimal (0x…), of which the last
// fills the bytes that are left.
func canonicalIPv4(domain string) (string, bool) {
	labels := strings.Split(strings.TrimSuffix(domain, "."), ".")
	if len(labels) > 4 {
		return "", false
	}
	var address uint64
	for i, label := range labels {
		n, ok := ipv4Number(label)
		if !ok {
			return "", false
		}
		if i < len(labels)-1 {
			if n > 255 {
				return "", false
			}
			address |= n << (8 * (3 - i))
			continue
		}
		if n >= 1<<(8*(5-len(labels))) {
			return "", false
		}
		address |= n
	}
	b := [4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}
	return netip.AddrFrom4(b).String(), true
}

func ipv4Number(label string) (uint64, bool) {
	base := 10
	switch {
	case label == "":
		return 0, false
	case strings.HasPrefix(label, "0x") || strings.HasPrefix(label, "0X"):
		base, label = 16, label[2:]
	case len(label) > 1 && label[0] == '0':
		base, label = 8, label[1:]
	}
	if label == "" {
		return 0, true // "0x" is zero to browsers
	}
	if label[0] == '+' || label[0] == '-' || strings.Contains(label, "_") {
		return 0, false
	}
	n, err := strconv.ParseUint(label, base, 64)
	return n, err == nil
}
