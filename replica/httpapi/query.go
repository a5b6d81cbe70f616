package httpapi

import (
	"net/http"

	"kedge/ic/request"
	"kedge/internal/minicbor"
)

// query answers queries, signed by the node (Interface Specification, "Request: Query call").
func (s *Server) query(r *http.Request, to route, body []byte) (reply, error) {
	envelope, err := request.Decode(body)
	if err == nil && envelope.Content.Type != request.Query {
		err = unexpectedType(envelope.Content.Type, request.Query)
	}
	if err != nil {
		return reply{}, failure(http.StatusBadRequest, "Could not parse body as read request: %v", err)
	}
	call := newCall(envelope, to)
	if err := s.checkDestination(call, to, "list_canisters"); err != nil {
		return reply{}, err
	}
	if _, err := s.authenticate(envelope, call.ID); err != nil {
		return reply{}, err
	}
	arg, refused := s.backend.Query(r.Context(), call)
	if err := r.Context().Err(); err != nil {
		return reply{}, err
	}
	response := request.QueryResponse{Replied: true, Arg: arg}
	if refused != nil {
		response = request.QueryResponse{RejectCode: uint64(refused.RejectCode()), RejectMessage: refused.Message, ErrorCode: refused.Code.String()}
	}
	keys, now := s.backend.State().Keys(), s.backend.Now()

	out := minicbor.AppendSelfDescribed(make([]byte, 0, 256+len(arg)))
	if refused != nil {
		out = minicbor.AppendHead(out, minicbor.Map, 5)
		out = appendReject(appendText(out, "status", "rejected"), refused)
	} else {
		out = minicbor.AppendHead(out, minicbor.Map, 3)
		out = appendText(out, "status", "replied")
		out = minicbor.AppendHead(minicbor.AppendText(out, "reply"), minicbor.Map, 1)
		out = minicbor.AppendBytes(minicbor.AppendText(out, "arg"), arg)
	}
	out = minicbor.AppendHead(minicbor.AppendText(out, "signatures"), minicbor.Array, 1)
	out = minicbor.AppendHead(out, minicbor.Map, 3)
	out = appendUint(out, "timestamp", now)
	out = minicbor.AppendBytes(minicbor.AppendText(out, "signature"), keys.SignResponse(response.SigningPayload(call.ID, now)))
	out = minicbor.AppendBytes(minicbor.AppendText(out, "identity"), keys.NodeID().Bytes())
	return reply{http.StatusOK, out}, nil
}
