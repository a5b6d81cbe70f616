package anchor

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/device"
)

// factor is a set of devices that are lost, or stolen, at one stroke.
type factor struct {
	Devices []string `json:"devices"` // public keys
	Why     string   `json:"why"`

	keys [][]byte
}

func (f factor) has(key []byte) bool {
	for _, k := range f.keys {
		if bytes.Equal(k, key) {
			return true
		}
	}
	return false
}

// factorsOf returns what of an anchor's devices is one factor as far as the key store knows: the keys of its
// file, with a recovery phrase whose words are the seed of one of them. The canister cannot know either.
func factorsOf(devices []kedge.DeviceWithUsage, keys *device.Keys) []factor {
	var file factor
	why := "in one key store file: whoever loses or copies it has lost or copied all of them"
	for _, d := range devices {
		switch {
		case inStore(d.Pubkey, keys):
		case wordsOf(d.Pubkey, keys) != "":
			why += fmt.Sprintf("; the recovery phrase is the seed of %q", wordsOf(d.Pubkey, keys))
		default:
			continue
		}
		file.keys = append(file.keys, d.Pubkey)
		file.Devices = append(file.Devices, hex.EncodeToString(d.Pubkey))
	}
	if len(file.keys) < 2 {
		return nil
	}
	file.Why = why
	return []factor{file}
}

func inStore(key []byte, keys *device.Keys) bool {
	for _, stored := range keys.All() {
		if bytes.Equal(stored.Passkey.PublicKey(), key) {
			return true
		}
	}
	return false
}

// wordsOf returns the name of the security key whose words are the recovery phrase with this key, if one is.
func wordsOf(key []byte, keys *device.Keys) string {
	for _, k := range keys.SecurityKeys() {
		if bytes.Equal(k.RecoveryPhraseKey(), key) {
			return k.Name()
		}
	}
	return ""
}

// copiesOf names the devices of an anchor that may exist elsewhere, too, and why.
func copiesOf(devices []kedge.DeviceWithUsage, keys *device.Keys) []string {
	var lines []string
	for _, d := range devices {
		for _, stored := range keys.All() {
			if !bytes.Equal(stored.Passkey.PublicKey(), d.Pubkey) {
				continue
			}
			label := session.Label(d.Alias, d.Pubkey)
			switch {
			case stored.Restored:
				lines = append(lines, label+": its seed was restored here, so the key that it was made on may still have it")
			case stored.Exported && stored.Kind == device.Stored:
				lines = append(lines, label+": its private key was exported, so another program may have it")
			}
		}
	}
	return lines
}

// asOneFactor corrects findings about one device: where the device that is lost takes with it all that would
// bring the owner back, the outcome is that of losing all everyday devices. It returns which findings it
// changed.
func asOneFactor(findings []kedge.Finding, factors []factor) (corrected []kedge.Finding, changed []bool) {
	corrected, changed = append([]kedge.Finding{}, findings...), make([]bool, len(findings))
	var all *kedge.Finding
	for i, f := range findings {
		if f.Scenario != nil && *f.Scenario == kedge.ScenarioLoseAllDevices {
			all = &findings[i]
		}
	}
	for i, f := range findings {
		if f.Scenario == nil || *f.Scenario != kedge.ScenarioLoseOneDevice || f.Outcome == nil || all == nil || all.Outcome == nil || rank(*f.Outcome) > rank(kedge.OutcomeDelayed) {
			continue // or nothing brings the owner back already
		}
		for _, one := range factors {
			lost := f.Subject == nil || one.has(f.Subject)
			for _, key := range f.Devices {
				lost = lost && one.has(key)
			}
			if lost && len(f.Devices) > 0 && rank(*all.Outcome) >= rank(*f.Outcome) {
				corrected[i].Outcome, corrected[i].Devices, corrected[i].NextStep = all.Outcome, all.Devices, all.NextStep
				changed[i] = true
			}
		}
	}
	return corrected, changed
}

// rank orders outcomes, the better the smaller.
func rank(o kedge.Outcome) int {
	for i, better := range []kedge.Outcome{
		kedge.OutcomeSurvives, kedge.OutcomeDelayed, kedge.OutcomeRestricted, kedge.OutcomeContested, kedge.OutcomeLockedOut, kedge.OutcomeTakenOver,
	} {
		if o == better {
			return i
		}
	}
	return 0 // a newer canister's
}

func factorText(factors []factor, copies []string, devices []kedge.DeviceWithUsage) string {
	var b strings.Builder
	if len(factors) > 0 {
		b.WriteString("\n\ncounted as one factor")
		for _, f := range factors {
			fmt.Fprintf(&b, "\n  %s: %s", aliases(f.keys, devices), f.Why)
		}
	}
	if len(copies) > 0 {
		b.WriteString("\n\nmay exist twice\n  " + strings.Join(copies, "\n  "))
	}
	return b.String()
}
