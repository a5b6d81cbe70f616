package httpapi

import (
	"bytes"
	"net/http"
	"unicode/utf8"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/internal/minicbor"
	"kedge/replica/certified"
)

// readState answers reads of the state tree (Interface Specification, "Request: Read state").
func (s *Server) readState(r *http.Request, to route, body []byte) (reply, error) {
	envelope, err := request.Decode(body)
	if err == nil && envelope.Content.Type != request.ReadState {
		err = unexpectedType(envelope.Content.Type, request.ReadState)
	}
	if err != nil {
		return reply{}, failure(http.StatusBadRequest, "Could not parse body as read request: %v", err)
	}
	allowed, err := s.authenticate(envelope, envelope.Content.ID())
	if err != nil {
		return reply{}, err
	}
	snapshot, err := s.backend.Fresh(r.Context())
	if err != nil {
		return reply{}, unavailable()
	}
	reader := reader{state: s.backend.State(), to: to, sender: envelope.Content.Sender, targets: allowed}
	var reveal []certified.Path
	for _, path := range envelope.Content.Paths {
		paths, err := reader.permit(path)
		if err != nil {
			return reply{}, err
		}
		reveal = append(reveal, paths...)
	}
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 1)
	out = minicbor.AppendBytes(minicbor.AppendText(out, "certificate"), snapshot.Certificate(reveal...))
	return reply{http.StatusOK, out}, nil
}

// reader decides which paths one read_state request may see.
type reader struct {
	state   *certified.State
	to      route
	sender  principal.Principal
	targets targets

	request *request.ID // the one that it asks for
	ranges  []byte      // the subnet whose sharded ranges it asks for
}

func invalidPath() error { return failure(http.StatusNotFound, "Invalid path requested.") }

// permit returns the paths to reveal for a path asked for, which are the path itself unless not all that is
// below it may be seen.
func (r *reader) permit(path certified.Path) ([]certified.Path, error) {
	if len(path) == 0 {
		return nil, invalidPath()
	}
	only := []certified.Path{path}
	switch string(path[0]) {
	case "time":
		if len(path) == 1 {
			return only, nil
		}
	case "api_boundary_nodes":
		if len(path) <= 3 {
			return only, nil
		}
	case "subnet":
		return r.permitSubnet(path)
	case "canister_ranges":
		return only, r.permitRanges(path)
	case "request_status":
		return only, r.permitRequest(path)
	case "canister":
		return only, r.permitCanister(path)
	}
	return nil, invalidPath()
}

// visible are the labels below a subnet that everyone sees; metrics are not among them.
var visible = []string{"public_key", "type", "node", "canister_ranges"}

func (r *reader) permitSubnet(path certified.Path) ([]certified.Path, error) {
	keys := r.state.Keys()
	root, own := keys.RootID(), keys.SubnetID()
	switch len(path) {
	case 1:
		return append(below(path[0], root.Bytes()), below(path[0], own.Bytes())...), nil
	case 2:
		return below(path[0], path[1]), nil
	}
	subnet, label := path[1], string(path[2])
	only := []certified.Path{path}
	switch {
	case len(path) == 3 && (label == "public_key" || label == "type"):
		return only, nil
	case label == "node" && (len(path) <= 4 || len(path) == 5 && string(path[4]) == "public_key"):
		return only, nil
	case len(path) == 3 && label == "canister_ranges":
		// The flat ranges of others than the root grew too long for the newer endpoints.
		if r.to.version == 2 || bytes.Equal(subnet, root.Bytes()) {
			return only, nil
		}
	case len(path) == 3 && label == "metrics":
		if r.to.isSubnet && r.to.id == own && bytes.Equal(subnet, own.Bytes()) {
			return only, nil
		}
	}
	return nil, invalidPath()
}

func below(label, subnet []byte) []certified.Path {
	var out []certified.Path
	for _, name := range visible {
		out = append(out, certified.Path{label, subnet, []byte(name)})
	}
	return out
}

func (r *reader) permitRanges(path certified.Path) error {
	if !r.to.isSubnet || len(path) != 2 {
		return invalidPath()
	}
	if r.ranges != nil && !bytes.Equal(r.ranges, path[1]) {
		return failure(http.StatusBadRequest, "Canister ranges of more than one subnet requested")
	}
	r.ranges = path[1]
	return nil
}

func (r *reader) permitRequest(path certified.Path) error {
	if r.to.isSubnet || len(path) < 2 || len(path) > 3 {
		return invalidPath()
	}
	if len(path[1]) != len(request.ID{}) {
		return failure(http.StatusBadRequest, "Invalid request id in paths: %d bytes instead of %d", len(path[1]), len(request.ID{}))
	}
	if len(path) == 3 {
		switch string(path[2]) {
		case "status", "reply", "reject_code", "reject_message", "error_code":
		default:
			return invalidPath()
		}
	}
	id := request.ID(path[1])
	if r.request != nil && *r.request != id {
		return failure(http.StatusBadRequest, "More than one non-unique request ID exists in request_status paths")
	}
	r.request = &id
	known, ok := r.state.Request(id)
	switch {
	case !ok:
		return nil
	case known.Sender != r.sender:
		return failure(http.StatusForbidden, "The user tries to access Request ID not signed by the caller.")
	case !r.targets.allow(known.Receiver):
		return failure(http.StatusForbidden, "The user tries to access request IDs for canisters not belonging to sender delegation targets.")
	case known.Effective != r.to.id:
		return failure(http.StatusForbidden, "The user tries to access a request ID that was not submitted to effective canister ID %s.", r.to.id)
	}
	return nil
}

func (r *reader) permitCanister(path certified.Path) error {
	if r.to.isSubnet || len(path) < 3 {
		return invalidPath()
	}
	id, err := principal.FromBytes(path[1])
	if err != nil {
		return failure(http.StatusBadRequest, "Invalid canister id in path: %v", err)
	}
	if id != r.to.id {
		return failure(http.StatusBadRequest, "Effective principal id in URL %s does not match requested principal id: %s.", r.to.id, id)
	}
	switch label := string(path[2]); {
	case len(path) == 4 && label == "metadata":
		return r.permitMetadata(id, path[3])
	case len(path) == 3 && (label == "module_hash" || label == "controllers" || label == "canister_creation_timestamp" || label == "last_install_timestamp"):
		return nil
	}
	return invalidPath()
}

func (r *reader) permitMetadata(canister principal.Principal, name []byte) error {
	if !utf8.Valid(name) {
		return failure(http.StatusBadRequest, "Could not parse the custom section name: it is not UTF-8.")
	}
	c, ok := r.state.Canister(canister)
	if !ok {
		return nil
	}
	section, ok := c.Section(string(name))
	if ok && !section.Public && !c.ControlledBy(r.sender) {
		return failure(http.StatusForbidden, "Custom section %.100s can only be requested by the controllers of the canister.", name)
	}
	return nil
}
