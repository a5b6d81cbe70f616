package provider

import (
	"regexp"

	"kedge/candid/kedge"
)

// Classic methods refuse by a trap, so a client has their text alone. These are Internet Identity's
// texts and those that Kedge adds, matched whole; the code is the one that Kedge's own methods give
// for the same reason.
var trapCodes = []struct {
	text *regexp.Regexp
	code kedge.ErrorCode
}{
	{whole(`[a-z0-9-]+ could not be authenticated\.`), kedge.ErrorCodeNotADevice},
	{whole(`(failed to [a-z]+ device: )?Device is locked\. Must be authenticated with this device to mutate: .*`), kedge.ErrorCodeSelfOnly},
	{whole(`(failed to [a-z]+ device: )?Anchor device limit exceeded: num devices \d+, limit \d+`), kedge.ErrorCodeTooManyDevices},
	{whole(`(failed to [a-z]+ device: )?There is already a recovery phrase and only one is allowed\.`), kedge.ErrorCodeSecondPhrase},
	{whole(`(failed to [a-z]+ device: )?Device with key [0-9a-f]+ already exists on this anchor\.`), kedge.ErrorCodeDeviceExists},
	{whole(`(failed to read device data of user \d+: )?bad Identity Anchor \d+`), kedge.ErrorCodeNoSuchAnchor},
	{whole(`(failed to read device data of user \d+: )?Identity Anchor \d+ is out of range \[\d+, \d+\)`), kedge.ErrorCodeNoSuchAnchor},
}

func whole(expression string) *regexp.Regexp { return regexp.MustCompile(`(?s)^` + expression + `$`) }

// CodeOfTrap returns the reason of a classic method's refusal from the text that it trapped with.
func CodeOfTrap(text string) (code kedge.ErrorCode, known bool) {
	for _, t := range trapCodes {
		if t.text.MatchString(text) {
			return t.code, true
		}
	}
	return 0, false
}
