package hints_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli/hints"
	"kedge/cli/provider"
)

// Every refusal about recovery contacts says what to do next, whatever it is wrapped in.
func TestContactRefusalsHaveHints(t *testing.T) {
	for _, code := range []kedge.ErrorCode{
		kedge.ErrorCodeBadContacts, kedge.ErrorCodeNoContacts, kedge.ErrorCodeNotAContact, kedge.ErrorCodeNotAccepted, kedge.ErrorCodeNotApproved,
		kedge.ErrorCodeAlreadyProtected, kedge.ErrorCodePhraseNewcomer, kedge.ErrorCodeBadDelay, kedge.ErrorCodeTooEarly,
	} {
		err := fmt.Errorf("wrapped: %w", provider.Refusal(kedge.Error{Code: &code, Message: "no"}))
		require.Contains(t, hints.Of(err), "kedge ", "%s", code)
	}
}
