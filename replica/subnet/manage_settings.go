package subnet

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
	"kedge/replica/subnet/reply"
)

// Limits of settings.
const (
	maxMemoryAllocation = 509<<30 + 1<<29
	minLogLimit         = 4096
)

func updateSettings(m *managementCall, c *canister, a management.UpdateSettingsArg) ([]byte, *reject.Error) {
	s := c.Settings
	if err := s.apply(&a.Settings); err != nil {
		return nil, err
	}
	if err := m.checkAffordable(c, &s); err != nil {
		return nil, err
	}
	c.Settings = s
	c.Version++
	c.Logs.trim(s.LogMemoryLimit)
	m.watchMemory(c)
	if a.Settings.Controllers != nil {
		by := m.by(a.SenderCanisterVersion)
		by.Kind, by.Controllers = changeControllers, s.Controllers
		m.record(c, by)
		m.touchCanister(c.ID)
	}
	return emptyReply, nil
}

// apply changes the settings that are asked for; if one of them is refused, the settings are not to be used.
func (s *settings) apply(a *management.Settings) *reject.Error {
	if a.Controllers != nil {
		s.Controllers = sortedSet(a.Controllers)
	}
	for _, field := range []struct {
		asked **big.Int
		to    *uint64
		most  uint64
		text  string
	}{
		{a.ComputeAllocation, &s.ComputeAllocation, 100, "ComputeAllocation expected to be in the range [0..100], got %s"},
		{a.MemoryAllocation, &s.MemoryAllocation, math.MaxUint64, "MemoryAllocation expected to be in the range [0..2^64-1], got %s"},
		{a.FreezingThreshold, &s.FreezingThreshold, math.MaxUint64, "Freezing threshold expected to be in the range of [0..2^64-1], got %s"},
		{a.WasmMemoryLimit, &s.WasmMemoryLimit, 1 << 48, "Wasm memory limit expected to be in the range of [0..2^64-1], got %s"},
		{a.WasmMemoryThreshold, &s.WasmMemoryThreshold, math.MaxUint64, "Wasm memory threshold expected to be in the range of [0..2^64-1], got %s"},
		{a.LogMemoryLimit, &s.LogMemoryLimit, maxLogLimit, "Log memory limit expected to be in the range of [0..2097152], got %s"},
	} {
		if field.asked == nil {
			continue
		}
		value := *field.asked
		if !value.IsUint64() || value.Uint64() > field.most {
			return outOfRange(field.text, grouped(value))
		}
		*field.to = value.Uint64()
	}
	if s.MemoryAllocation > maxMemoryAllocation {
		return advised(reject.New(reject.SubnetOversubscribed, "Canister requested %s of memory but only %s are available in the subnet.",
			binaryUnits(s.MemoryAllocation), binaryUnits(maxMemoryAllocation)), "Try moving to another subnet.", "subnet-memory-capacity-oversubscribed")
	}
	s.LogLimitSet = s.LogLimitSet || a.LogMemoryLimit != nil
	if s.LogMemoryLimit != 0 && s.LogMemoryLimit < minLogLimit {
		return outOfRange("Log memory limit expected to be 0 or at least %d, got %d", minLogLimit, s.LogMemoryLimit)
	}
	for _, amount := range []struct {
		asked **big.Int
		name  string
	}{{a.ReservedCyclesLimit, "Reserved cycles limit"}, {a.MinimumIncomingCanisterCallCycles, "Minimum incoming canister call cycles"}} {
		if amount.asked != nil && (*amount.asked).BitLen() > 128 {
			return outOfRange("%s expected to be in the range of [0..2^128-1], got %s", amount.name, grouped(*amount.asked))
		}
	}
	if a.ReservedCyclesLimit != nil {
		s.ReservedCyclesLimit = cycles.FromBig(*a.ReservedCyclesLimit)
	}
	if a.MinimumIncomingCanisterCallCycles != nil {
		s.MinimumIncomingCycles = cycles.FromBig(*a.MinimumIncomingCanisterCallCycles)
	}
	setVisibility(&s.LogVisibility, a.LogVisibility)
	setVisibility(&s.SnapshotVisibility, a.SnapshotVisibility)
	setVisibility(&s.StatusVisibility, a.StatusVisibility)
	return s.applyEnvironment(a.EnvironmentVariables)
}

// sortedSet orders principals by their bytes and removes repetitions. It is never nil.
func sortedSet(list []principal.Principal) []principal.Principal {
	out := append([]principal.Principal{}, list...)
	slices.SortFunc(out, func(a, b principal.Principal) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	return slices.Compact(out)
}

// binaryUnits writes a number of bytes with two decimals, as production does.
func binaryUnits(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(n), 0
	for value > 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.2f %s", value, units[unit])
}

// checkAffordable refuses allocations that the balance could not carry for the freezing threshold.
func (n *Subnet) checkAffordable(c *canister, s *settings) *reject.Error {
	if s.ComputeAllocation <= c.Settings.ComputeAllocation && s.MemoryAllocation <= c.Settings.MemoryAllocation {
		return nil
	}
	changed := canister{Settings: *s}
	changed.Settings.MemoryAllocation, changed.Settings.FreezingThreshold = c.Settings.MemoryAllocation, c.Settings.FreezingThreshold
	used := c.memory().total()
	if reserve := n.reserveWith(&changed, used); s.ComputeAllocation > c.Settings.ComputeAllocation && c.Balance.Less(reserve) {
		return advised(reject.New(reject.InsufficientCyclesInComputeAllocation,
			"Cannot increase compute allocation to %d%% due to insufficient cycles. At least %s additional cycles are required.",
			s.ComputeAllocation, grouped(reserve.Minus(c.Balance))), "Top up the canister with more cycles.", "insufficient-cycles-in-compute-allocation")
	}
	changed.Settings.MemoryAllocation = s.MemoryAllocation
	if reserve := n.reserveWith(&changed, used); s.MemoryAllocation > c.Settings.MemoryAllocation && c.Balance.Less(reserve) {
		return advised(reject.New(reject.InsufficientCyclesInMemoryAllocation,
			"Cannot increase memory allocation to %s due to insufficient cycles. At least %s additional cycles are required.",
			binaryUnits(s.MemoryAllocation), grouped(reserve.Minus(c.Balance))), "Top up the canister with more cycles.", "insufficient-cycles-in-memory-allocation")
	}
	return nil
}

// applyEnvironment replaces the environment variables, if any are given; they are kept ordered by name.
func (s *settings) applyEnvironment(asked []management.Variable) *reject.Error {
	if asked == nil {
		return nil
	}
	if len(asked) > maxVariables {
		return invalid("Too many environment variables: %d (max: %d)", len(asked), maxVariables)
	}
	variables := make([]exec.Variable, 0, len(asked))
	for _, v := range asked {
		switch {
		case len(v.Name) > exec.MaxVariableName:
			return invalid("Environment variable name %q exceeds the maximum allowed length of %d.", v.Name, exec.MaxVariableName)
		case len(v.Value) > exec.MaxVariableName:
			return invalid("Environment variable value %q exceeds the maximum allowed length of %d.", v.Value, exec.MaxVariableName)
		}
		// The argument's memory is not ours to keep.
		variables = append(variables, exec.Variable{Name: strings.Clone(v.Name), Value: strings.Clone(v.Value)})
	}
	slices.SortFunc(variables, func(a, b exec.Variable) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(variables); i++ {
		if variables[i].Name == variables[i-1].Name {
			return invalid("Duplicate environment variables are not allowed")
		}
	}
	s.Environment = variables
	return nil
}

// environmentHash is the hash of the environment variables as the history has it: of the hashes of name
// and value of each, in order. It is nil if there are none.
func (s *settings) environmentHash() []byte {
	if len(s.Environment) == 0 {
		return nil
	}
	var pairs [][]byte
	for _, v := range s.Environment {
		name, value := sha256.Sum256([]byte(v.Name)), sha256.Sum256([]byte(v.Value))
		pairs = append(pairs, append(name[:], value[:]...))
	}
	slices.SortFunc(pairs, bytes.Compare)
	sum := sha256.Sum256(bytes.Join(pairs, nil))
	return sum[:]
}

func setVisibility(to *visibility, asked *management.Visibility) {
	if asked == nil {
		return
	}
	switch asked.Tag {
	case management.VisibilityTagPublic:
		*to = visibility{Public: true}
	case management.VisibilityTagAllowedViewers:
		*to = visibility{Named: true, Viewers: asked.AllowedViewers}
	default:
		*to = visibility{}
	}
}

func (v visibility) encode() reply.Visibility {
	switch {
	case v.Public:
		return reply.Visibility{Tag: reply.VisibilityTagPublic}
	case v.Named:
		return reply.Visibility{Tag: reply.VisibilityTagAllowedViewers, AllowedViewers: v.Viewers}
	}
	return reply.Visibility{Tag: reply.VisibilityTagControllers}
}

// firstController is what older interfaces call the controller: the first of them, or the management canister.
func (s *settings) firstController() principal.Principal {
	if len(s.Controllers) == 0 {
		return principal.Management
	}
	return s.Controllers[0]
}

func (s *settings) encode() reply.DefiniteSettings {
	out := reply.DefiniteSettings{
		Controller:                        s.firstController(),
		Controllers:                       s.Controllers,
		ComputeAllocation:                 nat(s.ComputeAllocation),
		MemoryAllocation:                  nat(s.MemoryAllocation),
		FreezingThreshold:                 nat(s.FreezingThreshold),
		ReservedCyclesLimit:               s.ReservedCyclesLimit.Big(),
		MinimumIncomingCanisterCallCycles: s.MinimumIncomingCycles.Big(),
		LogVisibility:                     s.LogVisibility.encode(),
		SnapshotVisibility:                s.SnapshotVisibility.encode(),
		StatusVisibility:                  s.StatusVisibility.encode(),
		WasmMemoryLimit:                   nat(s.WasmMemoryLimit),
		WasmMemoryThreshold:               nat(s.WasmMemoryThreshold),
	}
	out.LogMemoryLimit = nat(0)
	if s.LogLimitSet {
		out.LogMemoryLimit = nat(s.LogMemoryLimit)
	}
	for _, v := range s.Environment {
		out.EnvironmentVariables = append(out.EnvironmentVariables, reply.Variable{Name: v.Name, Value: v.Value})
	}
	return out
}

func nat(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
