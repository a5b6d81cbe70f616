package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"kedge/ic/principal"
	"kedge/ic/signature"
)

// Limits of the production replica, in bytes.
const (
	maxBody    = 4 << 20 // of any request
	maxIngress = 2 << 20 // of a call
)

// Options are the choices of a server. The zero value is right.
type Options struct {
	// Wait is how long a synchronous call may wait for its certificate before the answer is 202; 10 s if
	// zero.
	Wait time.Duration
	// Version and Hash tell in the status what runs here.
	Version, Hash string
	// Other answers requests outside /api/, for instance as a gateway; 404 if nil.
	Other http.Handler
	// Log takes what should not happen; nothing is written if nil.
	Log io.Writer
}

// Server answers HTTP requests. It implements http.Handler.
type Server struct {
	backend  Backend
	options  Options
	verifier *signature.Verifier
	log      *log.Logger
}

// New returns the server of a backend.
func New(backend Backend, options Options) *Server {
	if options.Wait == 0 {
		options.Wait = 10 * time.Second
	}
	if options.Version == "" {
		options.Version = "kedge"
	}
	if options.Other == nil {
		options.Other = http.NotFoundHandler()
	}
	if options.Log == nil {
		options.Log = io.Discard
	}
	return &Server{
		backend:  backend,
		options:  options,
		verifier: &signature.Verifier{Root: backend.State().Keys().Root.Public()},
		log:      log.New(options.Log, "", log.LstdFlags),
	}
}

// route is a parsed path: /api/v<version>/<kind>/<id>/<action>.
type route struct {
	version  int
	isSubnet bool
	id       principal.Principal
	action   string
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, isAPI := strings.CutPrefix(r.URL.Path, "/api/")
	if !isAPI {
		s.options.Other.ServeHTTP(w, r)
		return
	}
	allowOrigins(w.Header())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	defer func() {
		if caught := recover(); caught != nil {
			if caught == http.ErrAbortHandler {
				panic(caught)
			}
			s.log.Printf("%s %s: panic: %v", r.Method, r.URL.Path, caught)
			fail(w, failure(http.StatusInternalServerError, "Internal error"))
		}
	}()
	if err := s.serve(w, r, path); err != nil {
		fail(w, err)
	}
}

func allowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Cache-Control, Range, DNT, If-None-Match, User-Agent, X-Requested-With")
	h.Set("Access-Control-Max-Age", "600")
}

// handlers are the routes below an id, by version, kind and action.
var handlers = map[string]func(*Server, *http.Request, route, []byte) (reply, error){
	"v2/canister/call":       (*Server).callAsync,
	"v3/canister/call":       (*Server).callSync,
	"v4/canister/call":       (*Server).callSync,
	"v4/subnet/call":         (*Server).callSync,
	"v2/canister/query":      (*Server).query,
	"v3/canister/query":      (*Server).query,
	"v3/subnet/query":        (*Server).query,
	"v2/canister/read_state": (*Server).readState,
	"v3/canister/read_state": (*Server).readState,
	"v2/subnet/read_state":   (*Server).readState,
	"v3/subnet/read_state":   (*Server).readState,
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, path string) error {
	if path == "v2/status" {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return wrongMethod(w, r.Method, "GET, HEAD, OPTIONS")
		}
		return s.status(w, r)
	}
	parts := strings.Split(path, "/")
	if len(parts) != 4 {
		return failure(http.StatusNotFound, "Not found: %s", r.URL.Path)
	}
	handler, ok := handlers[parts[0]+"/"+parts[1]+"/"+parts[3]]
	if !ok {
		return failure(http.StatusNotFound, "Not found: %s", r.URL.Path)
	}
	if r.Method != http.MethodPost {
		return wrongMethod(w, r.Method, "POST, OPTIONS")
	}
	id, err := principal.Parse(parts[2])
	if err != nil {
		return failure(http.StatusBadRequest, "Invalid %s id in URL: %v", parts[1], err)
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	answer, err := handler(s, r, route{version: int(parts[0][1] - '0'), isSubnet: parts[1] == "subnet", id: id, action: parts[3]}, body)
	if err != nil {
		return err
	}
	answer.write(w)
	return nil
}

func wrongMethod(w http.ResponseWriter, method, allowed string) error {
	w.Header().Set("Allow", allowed)
	return failure(http.StatusMethodNotAllowed, "Method %s is not allowed here, expected one of %s", method, allowed)
}

const cborType = "application/cbor"

// readBody reads the body of a request, which must be CBOR by its header.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Type") != cborType {
		return nil, failure(http.StatusBadRequest, "Unexpected content-type, expected %s.", cborType)
	}
	if r.ContentLength > maxBody {
		return nil, tooLarge()
	}
	var body []byte
	var err error
	reader := http.MaxBytesReader(w, r.Body, maxBody)
	if r.ContentLength > 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(reader, body)
	} else {
		body, err = io.ReadAll(reader)
	}
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return nil, tooLarge()
	case err != nil:
		return nil, failure(http.StatusBadRequest, "Could not read the body: %v", err)
	}
	return body, nil
}

func tooLarge() error {
	return failure(http.StatusRequestEntityTooLarge, "Request is too large: the body may have at most %d bytes.", maxBody)
}

// reply is an answer that is not an error: CBOR, or nothing with status 202.
type reply struct {
	status int
	body   []byte
}

func (a reply) write(w http.ResponseWriter) {
	if a.body != nil {
		w.Header().Set("Content-Type", cborType)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client has gone if this fails
}

// httpError is an answer with a status that says no.
type httpError struct {
	status  int
	message string
}

func (e *httpError) Error() string { return e.message }

func failure(status int, format string, args ...any) error {
	return &httpError{status, fmt.Sprintf(format, args...)}
}

// unavailable is what clients get while there is no certified state; they try again.
func unavailable() error {
	return failure(http.StatusServiceUnavailable, "Certified state is not available yet. Please try again...")
}

func fail(w http.ResponseWriter, err error) {
	var e *httpError
	if !errors.As(err, &e) {
		e = &httpError{http.StatusInternalServerError, "Internal error"}
		if errors.Is(err, context.Canceled) {
			e = &httpError{http.StatusServiceUnavailable, "Request was cancelled"}
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(e.status)
	_, _ = io.WriteString(w, e.message)
}
