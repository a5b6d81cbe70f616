package httpapi

import (
	"context"
	"net/http"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/internal/minicbor"
	"kedge/replica/reject"
)

// callSync answers the endpoints of version 3 and 4: it waits for the certificate.
func (s *Server) callSync(r *http.Request, to route, body []byte) (reply, error) {
	call, refused, err := s.submit(r, to, body)
	if err != nil {
		return reply{}, err
	}
	if refused != nil {
		out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 4)
		out = appendText(out, "status", "non_replicated_rejection")
		return reply{http.StatusOK, appendReject(out, refused)}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.options.Wait)
	defer cancel()
	snapshot := s.backend.State().Wait(ctx, call.ID)
	if snapshot == nil {
		return reply{status: http.StatusAccepted}, nil
	}
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 2)
	out = appendText(out, "status", "replied")
	out = minicbor.AppendBytes(minicbor.AppendText(out, "certificate"), snapshot.RequestCertificate(call.ID))
	return reply{http.StatusOK, out}, nil
}

// callAsync answers the endpoint of version 2: the client polls for the answer.
func (s *Server) callAsync(r *http.Request, to route, body []byte) (reply, error) {
	_, refused, err := s.submit(r, to, body)
	if err != nil {
		return reply{}, err
	}
	if refused == nil {
		return reply{status: http.StatusAccepted}, nil
	}
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 3)
	return reply{http.StatusOK, appendReject(out, refused)}, nil
}

func appendReject(out []byte, e *reject.Error) []byte {
	out = appendUint(out, "reject_code", uint64(e.RejectCode()))
	out = appendText(out, "reject_message", e.Message)
	return appendText(out, "error_code", e.Code.String())
}

// submit authenticates a call and hands it over.
func (s *Server) submit(r *http.Request, to route, body []byte) (*Call, *reject.Error, error) {
	envelope, err := request.Decode(body)
	if err == nil && envelope.Content.Type != request.Call {
		err = unexpectedType(envelope.Content.Type, request.Call)
	}
	if err != nil {
		return nil, nil, failure(http.StatusBadRequest, "Could not parse body as call message: %v", err)
	}
	call := newCall(envelope, to)
	call.Size = len(body)
	if err := s.checkDestination(call, to, "create_canister"); err != nil {
		return nil, nil, err
	}
	if len(body) > maxIngress {
		return nil, nil, failure(http.StatusRequestEntityTooLarge,
			"Request %s is too large. Message byte size %d is larger than the max allowed %d.", call.ID, len(body), maxIngress)
	}
	if _, err := s.authenticate(envelope, call.ID); err != nil {
		return nil, nil, err
	}
	return call, s.backend.Submit(r.Context(), call), nil
}

func unexpectedType(got, want request.Type) error {
	return failure(http.StatusBadRequest, "unknown variant `%s` of request_type, expected `%s`", got, want)
}

func newCall(e *request.Envelope, to route) *Call {
	c := &e.Content
	return &Call{
		ID: c.ID(), Sender: c.Sender, Canister: c.Canister, Effective: to.id,
		Method: c.Method, Arg: c.Arg, Expiry: c.IngressExpiry, SenderInfo: c.SenderInfo,
	}
}

// checkDestination compares the receiver with the id in the URL. Below a subnet there is one method of
// the management canister.
func (s *Server) checkDestination(c *Call, to route, subnetMethod string) error {
	if to.isSubnet {
		if err := s.checkSubnet(to.id); err != nil {
			return err
		}
		if c.Canister != principal.Management || c.Method != subnetMethod {
			return failure(http.StatusBadRequest, "Only the method %s of the management canister can be called by way of a subnet, not %q of %s",
				subnetMethod, c.Method, c.Canister)
		}
		return nil
	}
	if c.Canister != principal.Management && c.Canister != to.id {
		return failure(http.StatusBadRequest, "Specified canister ID %s does not match effective canister ID in URL %s", c.Canister, to.id)
	}
	return nil
}

func (s *Server) checkSubnet(id principal.Principal) error {
	if own := s.backend.State().Keys().SubnetID(); id != own {
		return failure(http.StatusBadRequest, "Specified subnet ID %s does not match the subnet ID of this node %s", id, own)
	}
	return nil
}
