package canister

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
)

// The body is the first field of the record, so its length is what first differs.
func TestWhereTheBodyIsInAResponse(t *testing.T) {
	empty := kedge.EncodeHttpRequestResult(kedge.HttpResponse{})
	require.Len(t, empty, httpResultBody+5, "body, headers and upgrade take a byte each, status two")
	full := kedge.EncodeHttpRequestResult(kedge.HttpResponse{Body: []byte("x")})
	require.Equal(t, empty[:httpResultBody], full[:httpResultBody])
	require.Equal(t, "\x01x", string(full[httpResultBody:httpResultBody+2]))
}
