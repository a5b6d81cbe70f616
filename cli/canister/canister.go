// Package canister is kedge canister: what operators do with the canister itself, beside installing it.
package canister

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
)

type verbs struct{ *session.App }

// Command returns kedge canister.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	cmd := ui.Group("canister", "look after the canister: status, logs, metrics, cycles, snapshots",
		a.status(), a.logs(), a.metrics(), a.topUp(), a.start(), a.stop(), a.settings(), a.snapshots())
	cmd.Long = `For the controllers of the canister (--identity). kedge deploy installs and upgrades it.
docs/operating.md is the operator's page.`
	return cmd
}

// open returns the canister as its controller sees it.
func (a verbs) open(ctx context.Context) (*provider.Provider, error) { return a.OpenController(ctx) }

// cyclesText writes an amount of cycles in trillions, billions or millions, whichever is the largest unit of
// which there is one.
func cyclesText(n *big.Int) string {
	for _, unit := range []struct {
		zeros int64
		name  string
	}{{12, "T"}, {9, "G"}, {6, "M"}} {
		size := new(big.Int).Exp(big.NewInt(10), big.NewInt(unit.zeros), nil)
		if n.CmpAbs(size) >= 0 {
			milli := new(big.Int).Div(new(big.Int).Mul(n, big.NewInt(1000)), size)
			whole, rest := new(big.Int).DivMod(milli, big.NewInt(1000), new(big.Int))
			return fmt.Sprintf("%s.%03d %s", whole, rest.Int64(), unit.name)
		}
	}
	return n.String()
}

// parseCycles reads an amount of cycles: a number, with decimals before a unit of k, m, b, g or t.
func parseCycles(text string) (*big.Int, error) {
	number, zeros := strings.ToLower(strings.ReplaceAll(text, "_", "")), 0
	for suffix, n := range map[string]int{"k": 3, "m": 6, "b": 9, "g": 9, "t": 12} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, zeros = strings.TrimSpace(rest), n
			break
		}
	}
	whole, decimals, _ := strings.Cut(number, ".")
	digits := whole + decimals
	amount, ok := new(big.Int).SetString(digits, 10)
	if !ok || strings.Trim(digits, "0123456789") != "" || whole == "" || len(decimals) > zeros || len(digits) > 40 {
		return nil, ui.Usagef("%q is not a number of cycles such as 2t, 1.5t or 500_000_000_000", text)
	}
	amount.Mul(amount, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(zeros-len(decimals))), nil))
	if amount.Sign() == 0 {
		return nil, ui.Usagef("%q is no cycles at all", text)
	}
	return amount, nil
}

// bytesText writes a size in bytes in the unit that fits.
func bytesText(n *big.Int) string {
	for _, unit := range []struct {
		shift uint
		name  string
	}{{30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if n.BitLen() > int(unit.shift) {
			tenths := new(big.Int).Rsh(new(big.Int).Mul(n, big.NewInt(10)), unit.shift).Uint64()
			return fmt.Sprintf("%d.%d %s", tenths/10, tenths%10, unit.name)
		}
	}
	return n.String() + " bytes"
}

// notController reports whether the network refused because the caller controls nothing here.
func notController(r *client.Reject) bool { return r.ForController() }
