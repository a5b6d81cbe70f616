package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/certified"
	"kedge/replica/httpapi"
	"kedge/replica/reject"
)

const (
	// maxChecked is the greatest body in bytes that is collected to be checked.
	maxChecked = 64 << 20
	// maxParts bounds how often the rest of a body is asked for.
	maxParts = 10_000
	// callTTL is how long an update call is valid.
	callTTL = 4 * time.Minute
)

// answer asks the canister and writes what it says. It returns what to show instead, or nil.
func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, to place) *pageError {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			return newPageError(http.StatusRequestEntityTooLarge, "Request too large", "The body of a request may have at most %d bytes.", maxRequest)
		}
		return newPageError(http.StatusBadRequest, "Request not understood", "The body could not be read: %v.", err)
	}
	version := uint16(2)
	in := HttpRequest{Method: r.Method, URL: r.URL.RequestURI(), Headers: headersOf(r), Body: body, CertificateVersion: &version}
	reply, refused := g.query(r.Context(), to.canister, "http_request", EncodeHttpRequestArgs(in))
	if refused != nil {
		return refusedPage(to.canister, refused)
	}
	out, err := decodeResponse(reply)
	if err != nil {
		return newPageError(http.StatusBadGateway, "Answer not understood", "What http_request of canister %s returned is not an HTTP response: %v.", to.canister, err)
	}
	if out.upgrade {
		return g.upgrade(w, r, to, in)
	}
	if to.raw {
		return g.write(w, r, to, out)
	}
	if err := g.collect(r.Context(), to, &out); err != nil {
		return newPageError(http.StatusBadGateway, "Answer incomplete", "The rest of the answer of canister %s did not come: %v.", to.canister, err)
	}
	if err := g.verify(to.canister, &in, r.URL, &out); err != nil {
		return newPageError(http.StatusBadGateway, "Answer not certified",
			"Canister %s did not certify this answer: %v. To see it all the same, ask for it below %s.raw.", to.canister, err, to.canister)
	}
	return g.write(w, r, to, out)
}

// upgrade repeats a request as an update call. The network agrees on its answer, so there is nothing to
// check.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, to place, in HttpRequest) *pageError {
	arg := EncodeHttpRequestUpdateArgs(HttpUpdateRequest{Method: in.Method, URL: in.URL, Headers: in.Headers, Body: in.Body})
	reply, refused, err := g.call(r.Context(), to.canister, "http_request_update", arg)
	switch {
	case err != nil:
		return newPageError(http.StatusGatewayTimeout, "No answer", "Canister %s did not answer: %v.", to.canister, err)
	case refused != nil:
		return refusedPage(to.canister, refused)
	}
	out, err := decodeResponse(reply)
	if err != nil {
		return newPageError(http.StatusBadGateway, "Answer not understood", "What http_request_update of canister %s returned is not an HTTP response: %v.", to.canister, err)
	}
	return g.write(w, r, to, out)
}

func refusedPage(canister principal.Principal, refused *reject.Error) *pageError {
	if refused.Code == reject.CanisterNotFound {
		return newPageError(http.StatusNotFound, "No such canister", "There is no canister %s on this network.", canister)
	}
	return newPageError(http.StatusBadGateway, "Canister failed", "Canister %s refused the request. %v", canister, refused)
}

func (g *Gateway) query(ctx context.Context, canister principal.Principal, method string, arg []byte) ([]byte, *reject.Error) {
	return g.backend.Query(ctx, g.newCall(canister, method, arg))
}

func (g *Gateway) newCall(canister principal.Principal, method string, arg []byte) *httpapi.Call {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	c := request.Content{
		Type: request.Call, Sender: principal.Anonymous, Canister: canister, Method: method, Arg: arg, Nonce: nonce,
		IngressExpiry: g.backend.Now() + uint64(callTTL),
	}
	return &httpapi.Call{ID: c.ID(), Sender: c.Sender, Canister: canister, Effective: canister, Method: method, Arg: arg, Expiry: c.IngressExpiry}
}

// call makes an update call and waits for its certified answer.
func (g *Gateway) call(ctx context.Context, canister principal.Principal, method string, arg []byte) ([]byte, *reject.Error, error) {
	c := g.newCall(canister, method, arg)
	if refused := g.backend.Submit(ctx, c); refused != nil {
		return nil, refused, nil
	}
	snapshot := g.backend.State().Wait(ctx, c.ID)
	if snapshot == nil {
		return nil, nil, ctx.Err()
	}
	settled, ok := g.backend.State().Request(c.ID)
	switch {
	case !ok || settled.Status == certified.Done:
		return nil, nil, errors.New("its answer has been forgotten already")
	case settled.Status == certified.Rejected:
		return nil, settled.Reject, nil
	}
	return settled.Reply, nil, nil
}

// collect completes a body by the streaming callback.
func (g *Gateway) collect(ctx context.Context, to place, out *response) error {
	next := out.next
	out.next = nil
	return g.stream(ctx, to, next, func(part []byte) error {
		if len(out.body)+len(part) > maxChecked {
			return errors.New("it is too long to be checked")
		}
		out.body = append(out.body, part...)
		return nil
	})
}

// stream asks for the parts that follow, one after the other.
func (g *Gateway) stream(ctx context.Context, to place, next *continuation, take func(part []byte) error) error {
	if next == nil {
		return nil
	}
	if next.callback.Service != to.canister {
		return errors.New("its streaming callback is a method of another canister")
	}
	token := next.token
	for parts := 0; token != nil; parts++ {
		if parts == maxParts {
			return errors.New("it has too many parts")
		}
		reply, refused := g.query(ctx, to.canister, next.callback.Method, token)
		if refused != nil {
			return refused
		}
		var part []byte
		var err error
		if part, token, err = decodePart(reply); err != nil {
			return err
		}
		if err := take(part); err != nil {
			return err
		}
	}
	return nil
}

// hopByHop are headers that speak of the connection, not of the answer.
var hopByHop = []string{"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

// write sends the answer, and the parts of its body that have not been collected as they come.
func (g *Gateway) write(w http.ResponseWriter, r *http.Request, to place, out response) *pageError {
	if out.status < 200 || out.status > 999 {
		return newPageError(http.StatusBadGateway, "Answer not understood", "Canister %s answered with status %d.", to.canister, out.status)
	}
	for _, h := range out.headers {
		if !slices.Contains(hopByHop, strings.ToLower(h.F0)) && validHeader(h) {
			w.Header().Add(h.F0, h.F1)
		}
	}
	allowOrigins(w.Header())
	w.WriteHeader(int(out.status))
	if _, err := w.Write(out.body); err != nil || out.next == nil {
		return nil // nothing can be said any more, or nothing is left
	}
	if err := g.stream(r.Context(), to, out.next, func(part []byte) error { _, err := w.Write(part); return err }); err != nil {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	return nil
}

func validHeader(h HeaderField) bool {
	if h.F0 == "" || strings.ContainsAny(h.F1, "\r\n\x00") {
		return false
	}
	return !strings.ContainsFunc(h.F0, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
	})
}

// headersOf returns the headers of a request, Host among them, in order.
func headersOf(r *http.Request) []HeaderField {
	out := []HeaderField{{"host", r.Host}}
	for name, values := range r.Header {
		for _, value := range values {
			if name == "Accept-Encoding" {
				value = withIdentity(value)
			}
			out = append(out, HeaderField{strings.ToLower(name), value})
		}
	}
	slices.SortStableFunc(out, func(a, b HeaderField) int { return strings.Compare(a.F0, b.F0) })
	return out
}

// withIdentity adds the encoding that a canister may always use.
func withIdentity(encodings string) string {
	for encoding := range strings.SplitSeq(encodings, ",") {
		if strings.EqualFold(strings.TrimSpace(encoding), "identity") {
			return encodings
		}
	}
	return encodings + ", identity"
}

// metadata returns a public section of a canister's module.
func (g *Gateway) metadata(canister principal.Principal, name string) string {
	c, ok := g.backend.State().Canister(canister)
	if !ok {
		return ""
	}
	section, ok := c.Section(name)
	if !ok || !section.Public {
		return ""
	}
	return string(section.Data)
}
