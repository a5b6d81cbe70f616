package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"kedge/ic/principal"
	"kedge/replica/httpapi"
)

// maxRequest is the greatest body of a request in bytes: what fits in a call.
const maxRequest = 2<<20 - 16<<10

// Gateway serves the web pages of the canisters of a network. It implements http.Handler.
type Gateway struct {
	backend httpapi.Backend
	domains []string
}

// New returns the gateway of a network. Canisters are found below the given domains, below localhost if
// there are none.
func New(backend httpapi.Backend, domains ...string) *Gateway {
	if len(domains) == 0 {
		domains = []string{"localhost"}
	}
	return &Gateway{backend: backend, domains: domains}
}

// place is which canister a request is for, and whether its answer is checked.
type place struct {
	canister principal.Principal
	raw      bool
}

// ServeHTTP answers a request with what the canister answers.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to, found, err := g.locate(r)
	switch {
	case err != nil:
		showPage(w, http.StatusBadRequest, "No such canister id", err.Error())
		return
	case !found:
		showPage(w, http.StatusNotFound, "Which canister?",
			fmt.Sprintf("This is a local network. Name a canister in the host, http://<canister>.%s, or add ?canisterId=<canister>.", g.domains[0]))
		return
	}
	w.Header().Set("X-Ic-Canister-Id", to.canister.Text())
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		allowOrigins(w.Header())
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := g.answer(w, r, to); err != nil {
		allowOrigins(w.Header())
		showPage(w, err.status, err.title, err.detail)
	}
}

// locate finds the canister that a request is for: in its host, in its query, and, for what a page loads
// by a plain path, in the host or the query of the page.
func (g *Gateway) locate(r *http.Request) (to place, found bool, err error) {
	if to, found, err = g.fromHost(r.Host); found || err != nil {
		return to, found, err
	}
	if to, found, err = fromQuery(r.URL); found || err != nil {
		return to, found, err
	}
	page, parseErr := url.Parse(r.Header.Get("Referer"))
	if parseErr != nil {
		return place{}, false, nil
	}
	if to, found, err = g.fromHost(page.Host); found || err != nil {
		return to, found, err
	}
	return fromQuery(page)
}

func (g *Gateway) fromHost(host string) (to place, found bool, err error) {
	if name, _, splitErr := net.SplitHostPort(host); splitErr == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range g.domains {
		label, below := strings.CutSuffix(host, "."+domain)
		if !below {
			continue
		}
		if label, to.raw = strings.CutSuffix(label, ".raw"); strings.Contains(label, ".") {
			label = label[strings.LastIndexByte(label, '.')+1:] // a name in front of the canister's
		}
		to.canister, err = principal.Parse(label)
		return to, err == nil, err
	}
	return place{}, false, nil
}

func fromQuery(u *url.URL) (to place, found bool, err error) {
	text := u.Query().Get("canisterId")
	if text == "" {
		return place{}, false, nil
	}
	to.canister, err = principal.Parse(text)
	return to, err == nil, err
}

// allowOrigins lets pages of every origin read the answer, unless the canister has said who may.
func allowOrigins(h http.Header) {
	for name, value := range map[string]string{
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Allow-Methods":  "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS",
		"Access-Control-Allow-Headers":  "Accept, Authorization, Cache-Control, Content-Type, DNT, If-None-Match, If-Modified-Since, Range, User-Agent, X-Requested-With",
		"Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, X-Ic-Canister-Id",
	} {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
}
