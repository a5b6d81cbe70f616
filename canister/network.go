package canister

import (
	"encoding/hex"
	"strings"

	"kedge/cdk"
)

// mainnetRootKey is the root key of the Internet Computer, in DER (Interface Specification, "Root of trust").
const mainnetRootKey = "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100" +
	"814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467" +
	"db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae"

// onMainnet reports whether the canister runs on the Internet Computer itself. It traps in a query.
func onMainnet() bool { return hex.EncodeToString(cdk.RootKey()) == mainnetRootKey }

// ownPage reports whether an origin is that of the canister's own page, and returns its host: on mainnet the
// canister's names under the domains of the HTTP gateways, elsewhere its name under localhost, on any port.
func ownPage(origin string) (host string, ok bool) {
	id := state.self.Text()
	if onMainnet() {
		host, ok := strings.CutPrefix(origin, "https://")
		label, domain, _ := strings.Cut(host, ".")
		return host, ok && label == id && (domain == "icp0.io" || domain == "ic0.app" || domain == "icp.net")
	}
	authority, ok := strings.CutPrefix(origin, "http://")
	host, port, hasPort := strings.Cut(authority, ":")
	return host, ok && host == id+".localhost" && (!hasPort || isPort(port))
}

// isPort reports whether a text is a port as browsers write it.
func isPort(text string) bool {
	return text != "" && len(text) <= 5 && strings.Trim(text, "0123456789") == "" && (text == "0" || text[0] != '0')
}

// originProblem says why a text is not an origin as browsers write it; "" if it looks like one. Passkeys are
// compared with it byte by byte, so any other form would match none.
func originProblem(origin string) string {
	scheme, authority, ok := strings.Cut(origin, "://")
	if !ok || scheme != "https" && scheme != "http" {
		return "it begins with https:// or http://, in lower case"
	}
	host, port, hasPort := authority, "", false
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		host, port, hasPort = authority[:i], authority[i+1:], true
	}
	switch {
	case strings.ContainsAny(authority, "/?#"):
		return "it ends after host and port, without a slash"
	case hasPort && !isPort(port):
		return "its port is a number"
	case hasPort && (scheme == "https" && port == "443" || scheme == "http" && port == "80"):
		return "browsers leave out the port " + port
	}
	return hostProblem(host)
}

// hostProblem says why a text is not a host as browsers write it.
func hostProblem(host string) string {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok && inner != "" && strings.Trim(inner, "0123456789abcdef:") == "" {
			return ""
		}
		return "an IPv6 address is written in lower case, between brackets"
	}
	for i := range len(host) {
		c := host[i]
		switch {
		case c >= 'A' && c <= 'Z':
			return "its host is in lower case"
		case c >= 0x80:
			return "its host is written in ASCII (xn--…)"
		case c <= ' ' || c == 0x7f || strings.IndexByte(`#/:<>?@[\]^|%`, c) >= 0:
			return "its host has only letters, digits, hyphens and dots"
		}
	}
	if host == "" {
		return "it has a host"
	}
	return ""
}
